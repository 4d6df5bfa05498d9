package sample;

import coprocess.CoprocessObject;
import coprocess.DispatcherGrpc;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;

/** The service that the gateway calls. */
final class Plugin extends DispatcherGrpc.DispatcherImplBase {
  /** Asks the hook that the object names; a name that nobody has changes nothing. */
  static CoprocessObject.Object apply(CoprocessObject.Object o) {
    var hook = Hooks.BY_NAME.get(o.getHookName());
    if (hook == null) {
      return o;
    }
    var changed = o.toBuilder();
    hook.accept(changed);
    return changed.build();
  }

  @Override
  public void dispatch(CoprocessObject.Object o, StreamObserver<CoprocessObject.Object> reply) {
    CoprocessObject.Object answer;
    try {
      answer = apply(o);
    } catch (RuntimeException e) {
      e.printStackTrace();
      reply.onError(Status.INTERNAL.withDescription(e.toString()).asRuntimeException());
      return;
    }
    reply.onNext(answer);
    reply.onCompleted();
  }

  @Override
  public void dispatchEvent(CoprocessObject.Event event, StreamObserver<CoprocessObject.EventReply> reply) {
    System.out.println("event: " + event.getPayload());
    reply.onNext(CoprocessObject.EventReply.getDefaultInstance());
    reply.onCompleted();
  }
}
