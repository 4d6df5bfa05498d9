<?php
// GENERATED CODE -- DO NOT EDIT!

// Original file comments:
// The envelope of every call, the events, and the service that a plugin server
// implements. Start reading here.
//
namespace Coprocess;

/**
 * A Dispatcher is a plugin server. The gateway is its client. It may be asked
 * many things at once, and each call stands alone.
 */
class DispatcherClient extends \Grpc\BaseStub {

    /**
     * @param string $hostname hostname
     * @param array $opts channel options
     * @param \Grpc\Channel $channel (optional) re-use channel object
     */
    public function __construct($hostname, $opts, $channel = null) {
        parent::__construct($hostname, $opts, $channel);
    }

    /**
     * Dispatch asks one hook about one request; the request waits for the answer.
     * A gRPC error, or no answer within the call's deadline, fails the hook: the
     * client gets 403 from CustomKeyCheck, 500 from the others.
     * @param \Coprocess\PBObject $argument input argument
     * @param array $metadata metadata
     * @param array $options call options
     * @return \Grpc\UnaryCall
     */
    public function Dispatch(\Coprocess\PBObject $argument,
      $metadata = [], $options = []) {
        return $this->_simpleRequest('/coprocess.Dispatcher/Dispatch',
        $argument,
        ['\Coprocess\PBObject', 'decode'],
        $metadata, $options);
    }

    /**
     * DispatchEvent tells of an event. No request waits for it; an error is logged
     * and not tried again, and events may arrive in any order or, under load, not.
     * @param \Coprocess\PBEvent $argument input argument
     * @param array $metadata metadata
     * @param array $options call options
     * @return \Grpc\UnaryCall
     */
    public function DispatchEvent(\Coprocess\PBEvent $argument,
      $metadata = [], $options = []) {
        return $this->_simpleRequest('/coprocess.Dispatcher/DispatchEvent',
        $argument,
        ['\Coprocess\PBEventReply', 'decode'],
        $metadata, $options);
    }

}
