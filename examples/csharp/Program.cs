// NOT RUN HERE: this project's tests neither build nor run this sample, since they have no .NET. It was written after
// the samples that they do run, and may need mending; the conformance run would tell: see README.md.

// A plugin server with eleven hooks.

using System.Net;
using System.Text;
using Coprocess;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Sample;

const int MaxMessage = 64 << 20; // bytes; a text body counts twice

static string? Variable(string name) =>
    Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

var socket = Variable("GRAPNEL_PLUGIN_SOCKET");
var address = Variable("PLUGIN_LISTEN") ?? "127.0.0.1:5555";
if (socket != null)
{
    File.Delete(socket); // left by a server that was killed
}
Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

var builder = WebApplication.CreateBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = MaxMessage);
builder.Services.AddGrpcHealthChecks().AddCheck("", () => HealthCheckResult.Healthy());
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Limits.MaxRequestBodySize = null; // gRPC has a limit of its own
    void Http2(ListenOptions options) => options.Protocols = HttpProtocols.Http2;
    if (socket != null)
    {
        kestrel.ListenUnixSocket(socket, Http2);
    }
    else
    {
        kestrel.Listen(IPEndPoint.Parse(address), Http2);
    }
});

// SIGTERM and SIGINT end it; calls under way have 30 seconds, as the host has it.
var app = builder.Build();
app.MapGrpcService<Plugin>();
app.MapGrpcHealthChecksService();
app.Lifetime.ApplicationStarted.Register(
    () => Console.WriteLine($"listening on {(socket != null ? $"unix://{socket}" : address)}"));
app.Run();

namespace Sample
{
    /// <summary>The service that the gateway calls.</summary>
    public sealed class Plugin : Dispatcher.DispatcherBase
    {
        /// <summary>Asks the hook that the object names; a name that no hook has changes nothing.</summary>
        public override async Task<Coprocess.Object> Dispatch(Coprocess.Object o, ServerCallContext context)
        {
            try
            {
                if (Hooks.ByName.TryGetValue(o.HookName, out var hook))
                {
                    await hook(o);
                }
                return o;
            }
            catch (Exception e)
            {
                Console.Error.WriteLine($"hook {o.HookName}: {e}");
                throw new RpcException(new Status(StatusCode.Internal, e.Message));
            }
        }

        public override Task<EventReply> DispatchEvent(Event e, ServerCallContext context)
        {
            Console.WriteLine($"event: {e.Payload}");
            return Task.FromResult(new EventReply());
        }
    }
}
