<?php
// GENERATED CODE -- DO NOT EDIT!

// Original file comments:
// Bodies that pass through a plugin in pieces, whatever their size. A plugin server
// need not implement this; a hook with stream: true asks for it.
//
namespace Coprocess;

/**
 * A BodyStream lets bodies pass through a plugin: those of requests in Post hooks,
 * those of replies in Response hooks.
 */
class BodyStreamClient extends \Grpc\BaseStub {

    /**
     * @param string $hostname hostname
     * @param array $opts channel options
     * @param \Grpc\Channel $channel (optional) re-use channel object
     */
    public function __construct($hostname, $opts, $channel = null) {
        parent::__construct($hostname, $opts, $channel);
    }

    /**
     * Exchange is one body of one exchange. The gateway sends an Object and waits,
     * within the hook's deadline, for the one that answers it, which may change all
     * but the body, or answer the client. Then the body follows in both directions at
     * once: the plugin may answer each piece, or some of them, or all at the end, and
     * does not get more than it reads. The body that goes on is the one that it sent,
     * up to the message with end; a stream without fails the exchange, or cuts the
     * reply off. No piece may keep the gateway waiting for longer than the deadline.
     * @param array $metadata metadata
     * @param array $options call options
     * @return \Grpc\BidiStreamingCall
     */
    public function Exchange($metadata = [], $options = []) {
        return $this->_bidiRequest('/coprocess.BodyStream/Exchange',
        ['\Coprocess\BodyChunk','decode'],
        $metadata, $options);
    }

}
