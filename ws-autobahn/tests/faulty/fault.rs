//! The faults: what is wrong, in which role, and which cases are about it.

/// Who can have a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Both,
    Server,
    Client,
}

/// Which cases are about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    /// Sections 1 to 7, and those beyond the original suite.
    Frames,
    /// Some of sections 12 and 13, and those beyond.
    Compression,
}

macro_rules! faults {
    ($($name:ident = $kebab:literal, $who:ident, $area:ident, $what:literal;)*) => {
        /// What is wrong with an endpoint.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            $(#[doc = $what] $name,)*
        }

        impl Fault {
            /// All of them; the first is none.
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => $kebab,)* }
            }

            pub(crate) const fn who(self) -> Who {
                match self { $(Self::$name => Who::$who,)* }
            }

            pub(crate) const fn area(self) -> Area {
                match self { $(Self::$name => Area::$area,)* }
            }

            pub(crate) const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }
        }
    };
}

faults! {
    None = "none", Both, Frames, "Nothing is wrong.";
    NoneCompressing = "none-compressing", Both, Compression, "Nothing is wrong.";

    NoPong = "no-pong", Both, Frames, "Answers no ping.";
    PongWithoutPayload = "pong-without-payload", Both, Frames, "Its pongs have no payload.";
    PongForPong = "pong-for-pong", Both, Frames, "Answers pongs as if they were pings.";
    LatePongs = "late-pongs", Both, Frames, "Answers a ping inside a message when that message has ended.";
    FailsOnManyPings = "fails-on-many-pings", Both, Frames, "Fails the connection at the hundredth ping.";
    LateUtf8 = "late-utf8", Both, Frames, "Looks at text when the message has ended.";
    NoUtf8 = "no-utf8", Both, Frames, "Takes any bytes for text.";
    NoUtf8InCompressed = "no-utf8-in-compressed", Both, Compression, "Takes any bytes for text where they were compressed.";
    WrongCloseCode = "wrong-close-code", Both, Frames, "Answers a Close frame with 1001.";
    WrongErrorCode = "wrong-error-code", Both, Frames, "Fails a connection with 1011, whatever was wrong.";
    NoCloseEcho = "no-close-echo", Both, Frames, "Ends the stream when a Close frame comes.";
    ClosesAfterEcho = "closes-after-echo", Both, Frames, "Begins to close after each message.";
    NeverClosesTheStream = "never-closes-the-stream", Server, Frames, "Leaves it to the client to end the stream.";
    StaysAfterTheEnd = "stays-after-the-end", Both, Frames, "Keeps its side of the stream for 8 s when the other has ended.";
    TruncatedEcho = "truncated-echo", Both, Frames, "The last byte of a message is lost.";
    ChangedByte = "changed-byte", Both, Frames, "One bit of a message is another.";
    SecondEcho = "second-echo", Both, Frames, "Each message comes back twice.";
    OutOfOrder = "out-of-order", Both, Frames, "Of two answers the later goes first.";
    NoEchoOfEmptyMessages = "no-echo-of-empty-messages", Both, Frames, "Empty messages are lost.";
    OtherType = "other-type", Both, Frames, "Text comes back as binary, and binary as text.";
    EchoOfFragments = "echo-of-fragments", Both, Frames, "Each fragment comes back as a message.";
    LosesLargeMessages = "loses-large-messages", Both, Frames, "Messages of more than 65,535 bytes are lost.";
    AcceptsReservedBits = "accepts-reserved-bits", Both, Frames, "Does not look at reserved bits.";
    AcceptsReservedOpcodes = "accepts-reserved-opcodes", Both, Frames, "Skips frames with reserved opcodes.";
    AcceptsLongPings = "accepts-long-pings", Both, Frames, "Takes control frames of more than 125 bytes.";
    AcceptsFragmentedControl = "accepts-fragmented-control", Both, Frames, "Takes fragments of control frames for whole ones.";
    AcceptsContinuationOfNothing = "accepts-continuation-of-nothing", Both, Frames, "Skips continuations outside a message.";
    AcceptsMessageInMessage = "accepts-message-in-message", Both, Frames, "Takes a new message inside another for its continuation.";
    AcceptsInvalidCloseCodes = "accepts-invalid-close-codes", Both, Frames, "Answers a Close frame with 1000, whatever its code.";
    AcceptsCloseOfOneByte = "accepts-close-of-one-byte", Both, Frames, "Takes half a close code for none.";
    AcceptsInvalidCloseReason = "accepts-invalid-close-reason", Both, Frames, "Does not look at the text of a Close frame.";
    AnswersAfterClose = "answers-after-close", Both, Frames, "Goes on answering what follows a Close frame.";
    AcceptsWrongMasking = "accepts-wrong-masking", Both, Frames, "Does not look at who masks.";
    AcceptsLongLengths = "accepts-long-lengths", Both, Frames, "Takes lengths that are not in their shortest form.";
    AcceptsAnyLength = "accepts-any-length", Both, Frames, "Waits for a payload of any length.";
    NoFragmentLimit = "no-fragment-limit", Both, Frames, "Takes any number of fragments.";
    LongLengths = "long-lengths", Both, Frames, "Writes all lengths in 16 bits or more.";
    SetsReservedBits = "sets-reserved-bits", Both, Frames, "Sets RSV2 in what it sends.";
    SendsReservedOpcodes = "sends-reserved-opcodes", Both, Frames, "Sends a frame with opcode 5 before each message.";
    SendsInvalidUtf8 = "sends-invalid-utf8", Both, Frames, "Puts a byte that is not UTF-8 behind each text.";
    FragmentsPongs = "fragments-pongs", Both, Frames, "Its pongs are not marked as final.";

    MasksItsFrames = "masks-its-frames", Server, Frames, "Masks, as only a client may.";
    DoesNotMask = "does-not-mask", Client, Frames, "Masks no frame.";
    ZeroMasks = "zero-masks", Client, Frames, "All masking keys are zero.";
    ConstantMask = "constant-mask", Client, Frames, "There is one masking key for all connections.";
    MaskOfTheConnection = "mask-of-the-connection", Client, Frames, "All frames of a connection have the same random masking key.";
    CountedMasks = "counted-masks", Client, Frames, "Masking keys are counted up.";
    MasksOfOneByte = "masks-of-one-byte", Client, Frames, "Masking keys are one random byte four times.";
    LinearMasks = "linear-masks", Client, Frames, "Masking keys come from a xorshift generator, so 32 of them tell all that follow.";

    KeepsContext = "keeps-context", Both, Compression, "Keeps its context after promising not to.";
    LosesContext = "loses-context", Both, Compression, "Forgets the other's context after each message.";
    IgnoresWindow = "ignores-window", Both, Compression, "Compresses with the largest window, whatever was agreed on.";
    CompressesWithoutMark = "compresses-without-mark", Both, Compression, "Does not set RSV1 in compressed messages.";
    MarksContinuations = "marks-continuations", Both, Compression, "Sends compressed messages in two frames, and sets RSV1 in both.";
    KeepsTail = "keeps-tail", Both, Compression, "Does not cut off the end of a compressed message.";
    AcceptsMarkedContinuations = "accepts-marked-continuations", Both, Compression, "Takes RSV1 in any frame of a compressed message.";
    AcceptsMarkedControl = "accepts-marked-control", Both, Compression, "Takes RSV1 in control frames.";
    IgnoresBadCompression = "ignores-bad-compression", Both, Compression, "Takes what cannot be decompressed for empty.";
    StopsAtFinalBlocks = "stops-at-final-blocks", Both, Compression, "Does not go on behind a block that is marked as the last.";
    InflatesWithoutLimit = "inflates-without-limit", Both, Compression, "Decompresses to any size.";

    AcceptsAnyRequest = "accepts-any-request", Server, Frames, "Accepts every request that ends.";
    TakesUpgradeByTheLetter = "takes-upgrade-by-the-letter", Server, Frames, "Wants Upgrade and Connection in one spelling.";
    RefusesProtocols = "refuses-protocols", Server, Frames, "Refuses requests for a subprotocol.";
    WrongAcceptKey = "wrong-accept-key", Server, Frames, "Answers another key than the request's.";
    AnswersWithStatus200 = "answers-with-status-200", Server, Frames, "Accepts with another status than 101.";
    AnswersWithoutUpgrade = "answers-without-upgrade", Server, Frames, "Accepts without Upgrade.";
    AnswersWithoutConnection = "answers-without-connection", Server, Frames, "Accepts without Connection.";
    ChoosesUnknownExtension = "chooses-unknown-extension", Server, Frames, "Accepts with an extension that was not offered.";
    ChoosesUnknownProtocol = "chooses-unknown-protocol", Server, Frames, "Accepts with a subprotocol that was not offered.";
    AcceptsBadOffers = "accepts-bad-offers", Server, Compression, "Accepts permessage-deflate with whatever parameters.";
    OverlooksOfferedWindow = "overlooks-offered-window", Server, Compression, "Accepts permessage-deflate as if no parameters had been offered.";

    AcceptsAnyAnswer = "accepts-any-answer", Client, Frames, "Takes every answer that ends.";
    ConstantKey = "constant-key", Client, Frames, "Sends the same Sec-WebSocket-Key each time.";
    ShortKey = "short-key", Client, Frames, "Sends a Sec-WebSocket-Key of 8 bytes.";
    OldVersion = "old-version", Client, Frames, "Asks for version 7.";
    PostsItsRequest = "posts-its-request", Client, Frames, "Sends its request with the method POST.";
    AsksForNoUpgrade = "asks-for-no-upgrade", Client, Frames, "Sends Connection: keep-alive.";
}
