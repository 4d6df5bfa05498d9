package coprocess;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * A BodyStream lets bodies pass through a plugin: those of requests in Post hooks,
 * those of replies in Response hooks.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class BodyStreamGrpc {

  private BodyStreamGrpc() {}

  public static final java.lang.String SERVICE_NAME = "coprocess.BodyStream";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<coprocess.GrapnelStream.BodyChunk,
      coprocess.GrapnelStream.BodyChunk> getExchangeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Exchange",
      requestType = coprocess.GrapnelStream.BodyChunk.class,
      responseType = coprocess.GrapnelStream.BodyChunk.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<coprocess.GrapnelStream.BodyChunk,
      coprocess.GrapnelStream.BodyChunk> getExchangeMethod() {
    io.grpc.MethodDescriptor<coprocess.GrapnelStream.BodyChunk, coprocess.GrapnelStream.BodyChunk> getExchangeMethod;
    if ((getExchangeMethod = BodyStreamGrpc.getExchangeMethod) == null) {
      synchronized (BodyStreamGrpc.class) {
        if ((getExchangeMethod = BodyStreamGrpc.getExchangeMethod) == null) {
          BodyStreamGrpc.getExchangeMethod = getExchangeMethod =
              io.grpc.MethodDescriptor.<coprocess.GrapnelStream.BodyChunk, coprocess.GrapnelStream.BodyChunk>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Exchange"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  coprocess.GrapnelStream.BodyChunk.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  coprocess.GrapnelStream.BodyChunk.getDefaultInstance()))
              .setSchemaDescriptor(new BodyStreamMethodDescriptorSupplier("Exchange"))
              .build();
        }
      }
    }
    return getExchangeMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static BodyStreamStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BodyStreamStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BodyStreamStub>() {
        @java.lang.Override
        public BodyStreamStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BodyStreamStub(channel, callOptions);
        }
      };
    return BodyStreamStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static BodyStreamBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BodyStreamBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BodyStreamBlockingStub>() {
        @java.lang.Override
        public BodyStreamBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BodyStreamBlockingStub(channel, callOptions);
        }
      };
    return BodyStreamBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static BodyStreamFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<BodyStreamFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<BodyStreamFutureStub>() {
        @java.lang.Override
        public BodyStreamFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new BodyStreamFutureStub(channel, callOptions);
        }
      };
    return BodyStreamFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * A BodyStream lets bodies pass through a plugin: those of requests in Post hooks,
   * those of replies in Response hooks.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Exchange is one body of one exchange. The gateway sends an Object and waits,
     * within the hook's deadline, for the one that answers it, which may change all
     * but the body, or answer the client. Then the body follows in both directions at
     * once: the plugin may answer each piece, or some of them, or all at the end, and
     * does not get more than it reads. The body that goes on is the one that it sent,
     * up to the message with end; a stream without fails the exchange, or cuts the
     * reply off. No piece may keep the gateway waiting for longer than the deadline.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<coprocess.GrapnelStream.BodyChunk> exchange(
        io.grpc.stub.StreamObserver<coprocess.GrapnelStream.BodyChunk> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getExchangeMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service BodyStream.
   * <pre>
   * A BodyStream lets bodies pass through a plugin: those of requests in Post hooks,
   * those of replies in Response hooks.
   * </pre>
   */
  public static abstract class BodyStreamImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return BodyStreamGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service BodyStream.
   * <pre>
   * A BodyStream lets bodies pass through a plugin: those of requests in Post hooks,
   * those of replies in Response hooks.
   * </pre>
   */
  public static final class BodyStreamStub
      extends io.grpc.stub.AbstractAsyncStub<BodyStreamStub> {
    private BodyStreamStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BodyStreamStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BodyStreamStub(channel, callOptions);
    }

    /**
     * <pre>
     * Exchange is one body of one exchange. The gateway sends an Object and waits,
     * within the hook's deadline, for the one that answers it, which may change all
     * but the body, or answer the client. Then the body follows in both directions at
     * once: the plugin may answer each piece, or some of them, or all at the end, and
     * does not get more than it reads. The body that goes on is the one that it sent,
     * up to the message with end; a stream without fails the exchange, or cuts the
     * reply off. No piece may keep the gateway waiting for longer than the deadline.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<coprocess.GrapnelStream.BodyChunk> exchange(
        io.grpc.stub.StreamObserver<coprocess.GrapnelStream.BodyChunk> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getExchangeMethod(), getCallOptions()), responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service BodyStream.
   * <pre>
   * A BodyStream lets bodies pass through a plugin: those of requests in Post hooks,
   * those of replies in Response hooks.
   * </pre>
   */
  public static final class BodyStreamBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<BodyStreamBlockingStub> {
    private BodyStreamBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BodyStreamBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BodyStreamBlockingStub(channel, callOptions);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service BodyStream.
   * <pre>
   * A BodyStream lets bodies pass through a plugin: those of requests in Post hooks,
   * those of replies in Response hooks.
   * </pre>
   */
  public static final class BodyStreamFutureStub
      extends io.grpc.stub.AbstractFutureStub<BodyStreamFutureStub> {
    private BodyStreamFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected BodyStreamFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new BodyStreamFutureStub(channel, callOptions);
    }
  }

  private static final int METHODID_EXCHANGE = 0;

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
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_EXCHANGE:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.exchange(
              (io.grpc.stub.StreamObserver<coprocess.GrapnelStream.BodyChunk>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getExchangeMethod(),
          io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
            new MethodHandlers<
              coprocess.GrapnelStream.BodyChunk,
              coprocess.GrapnelStream.BodyChunk>(
                service, METHODID_EXCHANGE)))
        .build();
  }

  private static abstract class BodyStreamBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    BodyStreamBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return coprocess.GrapnelStream.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("BodyStream");
    }
  }

  private static final class BodyStreamFileDescriptorSupplier
      extends BodyStreamBaseDescriptorSupplier {
    BodyStreamFileDescriptorSupplier() {}
  }

  private static final class BodyStreamMethodDescriptorSupplier
      extends BodyStreamBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    BodyStreamMethodDescriptorSupplier(java.lang.String methodName) {
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
      synchronized (BodyStreamGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new BodyStreamFileDescriptorSupplier())
              .addMethod(getExchangeMethod())
              .build();
        }
      }
    }
    return result;
  }
}
