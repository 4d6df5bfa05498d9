package coprocess;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * A Dispatcher is a plugin server. The gateway is its client. It may be asked
 * many things at once, and each call stands alone.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class DispatcherGrpc {

  private DispatcherGrpc() {}

  public static final java.lang.String SERVICE_NAME = "coprocess.Dispatcher";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<coprocess.CoprocessObject.Object,
      coprocess.CoprocessObject.Object> getDispatchMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Dispatch",
      requestType = coprocess.CoprocessObject.Object.class,
      responseType = coprocess.CoprocessObject.Object.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<coprocess.CoprocessObject.Object,
      coprocess.CoprocessObject.Object> getDispatchMethod() {
    io.grpc.MethodDescriptor<coprocess.CoprocessObject.Object, coprocess.CoprocessObject.Object> getDispatchMethod;
    if ((getDispatchMethod = DispatcherGrpc.getDispatchMethod) == null) {
      synchronized (DispatcherGrpc.class) {
        if ((getDispatchMethod = DispatcherGrpc.getDispatchMethod) == null) {
          DispatcherGrpc.getDispatchMethod = getDispatchMethod =
              io.grpc.MethodDescriptor.<coprocess.CoprocessObject.Object, coprocess.CoprocessObject.Object>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Dispatch"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  coprocess.CoprocessObject.Object.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  coprocess.CoprocessObject.Object.getDefaultInstance()))
              .setSchemaDescriptor(new DispatcherMethodDescriptorSupplier("Dispatch"))
              .build();
        }
      }
    }
    return getDispatchMethod;
  }

  private static volatile io.grpc.MethodDescriptor<coprocess.CoprocessObject.Event,
      coprocess.CoprocessObject.EventReply> getDispatchEventMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DispatchEvent",
      requestType = coprocess.CoprocessObject.Event.class,
      responseType = coprocess.CoprocessObject.EventReply.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<coprocess.CoprocessObject.Event,
      coprocess.CoprocessObject.EventReply> getDispatchEventMethod() {
    io.grpc.MethodDescriptor<coprocess.CoprocessObject.Event, coprocess.CoprocessObject.EventReply> getDispatchEventMethod;
    if ((getDispatchEventMethod = DispatcherGrpc.getDispatchEventMethod) == null) {
      synchronized (DispatcherGrpc.class) {
        if ((getDispatchEventMethod = DispatcherGrpc.getDispatchEventMethod) == null) {
          DispatcherGrpc.getDispatchEventMethod = getDispatchEventMethod =
              io.grpc.MethodDescriptor.<coprocess.CoprocessObject.Event, coprocess.CoprocessObject.EventReply>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DispatchEvent"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  coprocess.CoprocessObject.Event.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  coprocess.CoprocessObject.EventReply.getDefaultInstance()))
              .setSchemaDescriptor(new DispatcherMethodDescriptorSupplier("DispatchEvent"))
              .build();
        }
      }
    }
    return getDispatchEventMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static DispatcherStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<DispatcherStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<DispatcherStub>() {
        @java.lang.Override
        public DispatcherStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new DispatcherStub(channel, callOptions);
        }
      };
    return DispatcherStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static DispatcherBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<DispatcherBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<DispatcherBlockingStub>() {
        @java.lang.Override
        public DispatcherBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new DispatcherBlockingStub(channel, callOptions);
        }
      };
    return DispatcherBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static DispatcherFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<DispatcherFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<DispatcherFutureStub>() {
        @java.lang.Override
        public DispatcherFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new DispatcherFutureStub(channel, callOptions);
        }
      };
    return DispatcherFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * A Dispatcher is a plugin server. The gateway is its client. It may be asked
   * many things at once, and each call stands alone.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Dispatch asks one hook about one request; the request waits for the answer.
     * A gRPC error, or no answer within the call's deadline, fails the hook: the
     * client gets 403 from CustomKeyCheck, 500 from the others.
     * </pre>
     */
    default void dispatch(coprocess.CoprocessObject.Object request,
        io.grpc.stub.StreamObserver<coprocess.CoprocessObject.Object> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDispatchMethod(), responseObserver);
    }

    /**
     * <pre>
     * DispatchEvent tells of an event. No request waits for it; an error is logged
     * and not tried again, and events may arrive in any order or, under load, not.
     * </pre>
     */
    default void dispatchEvent(coprocess.CoprocessObject.Event request,
        io.grpc.stub.StreamObserver<coprocess.CoprocessObject.EventReply> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDispatchEventMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service Dispatcher.
   * <pre>
   * A Dispatcher is a plugin server. The gateway is its client. It may be asked
   * many things at once, and each call stands alone.
   * </pre>
   */
  public static abstract class DispatcherImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return DispatcherGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service Dispatcher.
   * <pre>
   * A Dispatcher is a plugin server. The gateway is its client. It may be asked
   * many things at once, and each call stands alone.
   * </pre>
   */
  public static final class DispatcherStub
      extends io.grpc.stub.AbstractAsyncStub<DispatcherStub> {
    private DispatcherStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected DispatcherStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new DispatcherStub(channel, callOptions);
    }

    /**
     * <pre>
     * Dispatch asks one hook about one request; the request waits for the answer.
     * A gRPC error, or no answer within the call's deadline, fails the hook: the
     * client gets 403 from CustomKeyCheck, 500 from the others.
     * </pre>
     */
    public void dispatch(coprocess.CoprocessObject.Object request,
        io.grpc.stub.StreamObserver<coprocess.CoprocessObject.Object> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDispatchMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * DispatchEvent tells of an event. No request waits for it; an error is logged
     * and not tried again, and events may arrive in any order or, under load, not.
     * </pre>
     */
    public void dispatchEvent(coprocess.CoprocessObject.Event request,
        io.grpc.stub.StreamObserver<coprocess.CoprocessObject.EventReply> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDispatchEventMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service Dispatcher.
   * <pre>
   * A Dispatcher is a plugin server. The gateway is its client. It may be asked
   * many things at once, and each call stands alone.
   * </pre>
   */
  public static final class DispatcherBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<DispatcherBlockingStub> {
    private DispatcherBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected DispatcherBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new DispatcherBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Dispatch asks one hook about one request; the request waits for the answer.
     * A gRPC error, or no answer within the call's deadline, fails the hook: the
     * client gets 403 from CustomKeyCheck, 500 from the others.
     * </pre>
     */
    public coprocess.CoprocessObject.Object dispatch(coprocess.CoprocessObject.Object request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDispatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * DispatchEvent tells of an event. No request waits for it; an error is logged
     * and not tried again, and events may arrive in any order or, under load, not.
     * </pre>
     */
    public coprocess.CoprocessObject.EventReply dispatchEvent(coprocess.CoprocessObject.Event request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDispatchEventMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service Dispatcher.
   * <pre>
   * A Dispatcher is a plugin server. The gateway is its client. It may be asked
   * many things at once, and each call stands alone.
   * </pre>
   */
  public static final class DispatcherFutureStub
      extends io.grpc.stub.AbstractFutureStub<DispatcherFutureStub> {
    private DispatcherFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected DispatcherFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new DispatcherFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Dispatch asks one hook about one request; the request waits for the answer.
     * A gRPC error, or no answer within the call's deadline, fails the hook: the
     * client gets 403 from CustomKeyCheck, 500 from the others.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<coprocess.CoprocessObject.Object> dispatch(
        coprocess.CoprocessObject.Object request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDispatchMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * DispatchEvent tells of an event. No request waits for it; an error is logged
     * and not tried again, and events may arrive in any order or, under load, not.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<coprocess.CoprocessObject.EventReply> dispatchEvent(
        coprocess.CoprocessObject.Event request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDispatchEventMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_DISPATCH = 0;
  private static final int METHODID_DISPATCH_EVENT = 1;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_DISPATCH:
          serviceImpl.dispatch((coprocess.CoprocessObject.Object) request,
              (io.grpc.stub.StreamObserver<coprocess.CoprocessObject.Object>) responseObserver);
          break;
        case METHODID_DISPATCH_EVENT:
          serviceImpl.dispatchEvent((coprocess.CoprocessObject.Event) request,
              (io.grpc.stub.StreamObserver<coprocess.CoprocessObject.EventReply>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getDispatchMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              coprocess.CoprocessObject.Object,
              coprocess.CoprocessObject.Object>(
                service, METHODID_DISPATCH)))
        .addMethod(
          getDispatchEventMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              coprocess.CoprocessObject.Event,
              coprocess.CoprocessObject.EventReply>(
                service, METHODID_DISPATCH_EVENT)))
        .build();
  }

  private static abstract class DispatcherBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    DispatcherBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return coprocess.CoprocessObject.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("Dispatcher");
    }
  }

  private static final class DispatcherFileDescriptorSupplier
      extends DispatcherBaseDescriptorSupplier {
    DispatcherFileDescriptorSupplier() {}
  }

  private static final class DispatcherMethodDescriptorSupplier
      extends DispatcherBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    DispatcherMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (DispatcherGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new DispatcherFileDescriptorSupplier())
              .addMethod(getDispatchMethod())
              .addMethod(getDispatchEventMethod())
              .build();
        }
      }
    }
    return result;
  }
}
