#!/usr/bin/env bash
# install-wstest.sh PREFIX
#
# Installs the real Autobahn WebSocket testsuite (`wstest`, autobahntestsuite
# from PyPI) with a private CPython 2.7 below PREFIX, and prints the path of the
# wstest executable as the last (and only) line on stdout.
#
# Sources, each through its own ordinary client:
#   * CPython 2.7.18 + pip wheel + libssl1.1/libffi7: Debian 11 "bullseye" .deb
#     files by `apt-get download` (own sources list, own package lists; the
#     machine's apt configuration, proxies included, is otherwise honoured) and
#     unpacked by `dpkg-deb -x`. Nothing is installed on the system, no root.
#   * Python packages: PyPI by pip 20.3.4 (the last pip for Python 2).
#
# Needs on the machine: apt-get, dpkg-deb, a Debian archive keyring, and, for the
# C speed-ups (wsaccel), a C compiler called cc or gcc (or WSTEST_NO_ACCEL=1).
#
# Environment:
#   WSTEST_DEBIAN_MIRROR  default: the Debian mirror which the machine's own apt is configured for (its package
#                         lists are fetched first when they are missing and we are root)
#   WSTEST_PYTHON2        an existing CPython 2.7 with zlib+ssl to use instead of
#                         Debian's (skips apt)
#   WSTEST_NO_ACCEL=1     do not build wsaccel (pure-Python masking and UTF-8
#                         validation: slow)
# Idempotent: a second run with a finished PREFIX does nothing but print the path.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: $0 PREFIX" >&2; exit 2; }
mkdir -p "$1"
PREFIX=$(cd "$1" && pwd -P)
MIRROR=${WSTEST_DEBIAN_MIRROR:-}
SUITE=bullseye
WSTEST=$PREFIX/bin/wstest
say() { echo "install-wstest: $*" >&2; }
# shellcheck disable=SC2016 # apt's own placeholder
apt_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | awk '!/security/ && !seen++'; }

# ---- pinned Python packages (autobahntestsuite 25.10.1's own pins where it has
# ---- them; the rest are the newest versions which support Python 2.7) ---------
read -r -d '' REQS <<'EOF' || true
autobahntestsuite==25.10.1
autobahn==0.10.9
txaio==2.1.0
six==1.16.0
setuptools==44.1.1
Twisted==19.10.0
incremental==16.10.1
constantly==15.1.0
Automat==22.10.0
hyperlink==21.0.0
attrs==21.4.0
idna==2.10
typing==3.10.0.0
zope.interface==4.6.0
pyOpenSSL==19.1.0
cryptography==3.3.2
cffi==1.15.1
pycparser==2.21
enum34==1.1.10
ipaddress==1.0.23
service_identity==18.1.0
pyasn1==0.5.1
pyasn1-modules==0.3.0
jinja2==2.11.3
markupsafe==1.1.1
unittest2==1.1.0
traceback2==1.4.0
linecache2==1.0.0
EOF
ACCEL='wsaccel==0.6.2'

STAMP_TEXT="v1 $SUITE ${WSTEST_PYTHON2:-} accel=${WSTEST_NO_ACCEL:-0}
$REQS
$ACCEL"
STAMP=$PREFIX/.wstest-stamp
if [ -x "$WSTEST" ] && [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$STAMP_TEXT" ] \
   && "$WSTEST" -a >/dev/null 2>&1; then
  say "already installed"
  echo "$WSTEST"; exit 0
fi
# PREFIX must be ours alone: parts of it are removed before a (re)install
MARK=$PREFIX/.wstest-prefix
if [ ! -e "$MARK" ] && [ -n "$(ls -A "$PREFIX")" ]; then
  say "$PREFIX is not empty and was not made by this script; give a directory of its own"; exit 1
fi
: > "$MARK"
rm -f "$STAMP"
rm -rf "$PREFIX"/.work.*
rm -rf "${PREFIX:?}"/{py,site,tools,bin}
mkdir -p "$PREFIX/bin" "$PREFIX/site"
WORK=$(mktemp -d "$PREFIX/.work.XXXXXX")
trap 'rm -rf "$WORK"' EXIT

# ---- 1. CPython 2.7 ----------------------------------------------------------
if [ -n "${WSTEST_PYTHON2:-}" ]; then
  PY=$(command -v "$WSTEST_PYTHON2") || { say "no $WSTEST_PYTHON2"; exit 1; }
  LIBPATH=
  say "using $PY"
  "$PY" -c 'import sys; assert sys.version_info[:2] == (2, 7), sys.version; import ssl, zlib'
else
  for t in apt-get dpkg-deb; do
    command -v $t >/dev/null || { say "$t not found (set WSTEST_PYTHON2 to use an existing Python 2.7)"; exit 1; }
  done
  KEYRING=
  for k in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-bullseye-stable.gpg; do
    [ -f "$k" ] && { KEYRING=$k; break; }
  done
  [ -n "$KEYRING" ] || { say "no Debian archive keyring: apt-get install debian-archive-keyring"; exit 1; }
  # apt names its mirror only when the machine's package lists are there
  [ -n "$MIRROR" ] || MIRROR=$(apt_mirror)
  if [ -z "$MIRROR" ] && [ "$EUID" -eq 0 ]; then
    apt-get -q update >&2
    MIRROR=$(apt_mirror)
  fi
  [ -n "$MIRROR" ] || { say "apt knows no Debian mirror: run apt-get update, or set WSTEST_DEBIAN_MIRROR"; exit 1; }
  mkdir -p "$WORK"/apt/{lists/partial,cache/archives/partial,etc/empty} "$WORK/debs"
  echo "deb [signed-by=$KEYRING] $MIRROR $SUITE main" > "$WORK/apt/etc/sources.list"
  APT=(apt-get -q
       -o Dir::Etc::sourcelist="$WORK/apt/etc/sources.list" -o Dir::Etc::sourceparts="$WORK/apt/etc/empty"
       -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts="$WORK/apt/etc/empty"
       -o Dir::State="$WORK/apt" -o Dir::State::lists="$WORK/apt/lists"
       -o Dir::State::status=/dev/null -o Dir::Cache="$WORK/apt/cache"
       -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3
       -o APT::Get::List-Cleanup=0)
  say "package lists of Debian $SUITE"
  "${APT[@]}" update >&2
  PKGS=(python2.7-minimal libpython2.7-minimal libpython2.7-stdlib python-pip-whl
        libssl1.1 libffi7 libbz2-1.0 libexpat1 zlib1g libsqlite3-0)
  [ "${WSTEST_NO_ACCEL:-0}" = 1 ] || PKGS+=(libpython2.7-dev)
  say "downloading ${PKGS[*]}"
  (cd "$WORK/debs" && "${APT[@]}" download "${PKGS[@]}" >&2)
  for d in "$WORK"/debs/*.deb; do dpkg-deb -x "$d" "$PREFIX/py"; done
  PY=$PREFIX/py/usr/bin/python2.7
  TRIPLET=$(basename "$(dirname "$(find "$PREFIX/py/usr/lib" -name 'libssl.so.1.1' | head -1)")")
  LIBPATH=$PREFIX/py/usr/lib/$TRIPLET:$PREFIX/py/lib/$TRIPLET
fi

# ---- 2. pip, setuptools, wheel (build tools, kept apart) ---------------------
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_PYTHON_VERSION_WARNING=1
if [ -z "${PIP_CERT:-}" ] && [ -f /etc/ssl/certs/ca-certificates.crt ]; then
  export PIP_CERT=/etc/ssl/certs/ca-certificates.crt
fi
pyrun() { # pyrun PYTHONPATH args...
  local p=$1; shift
  PYTHONPATH=$p LD_LIBRARY_PATH=${LIBPATH:-${LD_LIBRARY_PATH:-}} "$PY" -s "$@"
}
say "pip 20.3.4 / setuptools 44.1.1 / wheel 0.37.1 from PyPI"
if [ -n "${LIBPATH}" ]; then
  BOOT=$(ls "$PREFIX"/py/usr/share/python-wheels/pip-*.whl)
else
  # an existing Python 2.7: its own pip, else the one bundled with ensurepip
  if "$PY" -s -m pip --version >/dev/null 2>&1; then BOOT=
  else BOOT=$("$PY" -c 'import ensurepip,glob,os; print(glob.glob(os.path.join(os.path.dirname(ensurepip.__file__),"_bundled","pip-*.whl"))[0])')
  fi
fi
pyrun "$BOOT" -m pip install -q --no-input --target "$PREFIX/tools" \
  pip==20.3.4 setuptools==44.1.1 wheel==0.37.1 >&2

# ---- 3. the testsuite and its dependencies -----------------------------------
printf '%s\n' "$REQS" > "$WORK/requirements.txt"
say "autobahntestsuite and dependencies from PyPI"
pyrun "$PREFIX/tools" -m pip install -q --no-input --no-deps --no-warn-conflicts \
  --target "$PREFIX/site" -r "$WORK/requirements.txt" >&2
# zope.interface ships a namespace package whose .pth file only works in a site
# directory; an __init__.py does the same from PYTHONPATH
[ -e "$PREFIX/site/zope/__init__.py" ] || \
  echo '__import__("pkg_resources").declare_namespace(__name__)' > "$PREFIX/site/zope/__init__.py"

if [ "${WSTEST_NO_ACCEL:-0}" != 1 ]; then
  CC=${CC:-$(command -v cc || command -v gcc || true)}
  if [ -n "$CC" ]; then
    say "building wsaccel (C) with $CC"
    # CPATH, not CFLAGS: survives blanks in PREFIX
    # shellcheck disable=SC2097,SC2098 # CC is set already, here it is exported too
    if ! CC=$CC LDSHARED="$CC -shared" CFLAGS="-O2 -fPIC -fno-strict-aliasing" \
         CPATH="${LIBPATH:+$PREFIX/py/usr/include:$PREFIX/py/usr/include/python2.7:}${CPATH:-}" \
         pyrun "$PREFIX/tools" -m pip install -q --no-input --no-deps --no-cache-dir --no-binary wsaccel \
           --target "$PREFIX/site" "$ACCEL" >&2; then
      say "wsaccel did not build; set WSTEST_NO_ACCEL=1 to do without (9.* takes about 8 times as long)"
      exit 1
    fi
  else
    say "no C compiler (cc or gcc) for wsaccel; set WSTEST_NO_ACCEL=1 to do without (9.* takes about 8 times as long)"
    exit 1
  fi
fi

# ---- 4. the executables: bin/wstest, and bin/py27 (the same interpreter, bare) -
wrapper() { # wrapper FILE interpreter-arguments; only this process sees the old libraries
  {
    echo '#!/bin/sh'
    [ -z "$LIBPATH" ] || printf 'LD_LIBRARY_PATH=%s\nexport LD_LIBRARY_PATH\n' "'$LIBPATH'"
    printf "unset PYTHONHOME\nPYTHONPATH='%s' exec '%s' -u -s -W ignore %s\"\$@\"\n" "$PREFIX/site" "$PY" "$2"
  } > "$1"
  chmod +x "$1"
}
wrapper "$PREFIX/bin/py27" ''
wrapper "$WSTEST" '-m autobahntestsuite.wstest '

# ---- 5. check ----------------------------------------------------------------
"$WSTEST" -a >&2
"$PREFIX/bin/py27" - >&2 <<'EOF'
from autobahntestsuite.case import Cases
from autobahn.websocket.xormasker import XorMaskerNull
from autobahn.websocket.utf8validator import Utf8Validator
assert len(Cases) == 517, len(Cases)
print("%d cases, masker %s, validator %s" % (len(Cases), XorMaskerNull.__module__, Utf8Validator.__module__))
EOF
printf '%s' "$STAMP_TEXT" > "$STAMP"
echo "$WSTEST"
