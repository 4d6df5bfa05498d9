// NOT RUN HERE: see Program.cs.

using System.Text;
using System.Text.Json;
using Coprocess;
using Google.Protobuf;

namespace Sample;

/// <summary>The hooks. Each changes the object that it is given; what it leaves alone stays as it was.</summary>
public static class Hooks
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static readonly IReadOnlyDictionary<string, Func<Coprocess.Object, Task>> ByName =
        new Dictionary<string, Func<Coprocess.Object, Task>>
        {
            ["Headers"] = Now(Headers),
            ["Deny"] = Now(Deny),
            ["Teapot"] = Now(Teapot),
            ["CheckToken"] = Now(CheckToken),
            ["ReadSession"] = Now(ReadSession),
            ["Rewrite"] = Now(Rewrite),
            ["Tenant"] = Now(Tenant),
            ["Reply"] = Now(Reply),
            ["Echo"] = Now(_ => { }),
            ["Crash"] = Now(_ => throw new InvalidOperationException("the sample crashed as it was asked to")),
            ["Slow"] = _ => Task.Delay(TimeSpan.FromSeconds(2)),
        };

    /// <summary>A hook that has nothing to wait for.</summary>
    private static Func<Coprocess.Object, Task> Now(Action<Coprocess.Object> hook) =>
        o =>
        {
            hook(o);
            return Task.CompletedTask;
        };

    private static MiniRequestObject RequestOf(Coprocess.Object o) => o.Request ??= new MiniRequestObject();

    private static void Headers(Coprocess.Object o)
    {
        var request = RequestOf(o);
        request.SetHeaders["X-Sample"] = "hello";
        request.DeleteHeaders.Add("X-Remove");
        request.AddParams["added"] = "1";
        request.DeleteParams.Add("remove");
    }

    private static void Deny(Coprocess.Object o)
    {
        if (RequestOf(o).Headers.ContainsKey("X-Deny"))
        {
            o.Request.ReturnOverrides = new ReturnOverrides
            {
                ResponseCode = 403,
                ResponseError = "denied by the sample",
                Headers = { ["X-Denied"] = "1" },
            };
        }
    }

    private static void Teapot(Coprocess.Object o)
    {
        RequestOf(o).ReturnOverrides = new ReturnOverrides
        {
            ResponseCode = 418,
            OverrideError = true,
            ResponseBody = "short and stout",
            Headers = { ["Content-Type"] = "text/plain" },
        };
    }

    private static void CheckToken(Coprocess.Object o)
    {
        if (RequestOf(o).Headers.GetValueOrDefault("Authorization") != "Bearer let-me-in")
        {
            o.Request.ReturnOverrides = new ReturnOverrides
            {
                ResponseCode = 401,
                ResponseError = "not authorised by the sample",
            };
            return;
        }
        o.Session = new SessionState
        {
            Rate = 1000,
            Per = 1,
            QuotaMax = 5000,
            QuotaRemaining = 5000,
            QuotaRenewalRate = 3600,
            Metadata = { ["tier"] = "gold" },
        };
        o.Metadata["token"] = "let-me-in";
        o.Metadata["tier"] = "gold";
    }

    private static void ReadSession(Coprocess.Object o)
    {
        if (o.Session == null)
        {
            return;
        }
        var set = RequestOf(o).SetHeaders;
        set["X-Tier"] = o.Session.Metadata.GetValueOrDefault("tier", "");
        set["X-Rate"] = ((long)o.Session.Rate).ToString();
    }

    private static void Rewrite(Coprocess.Object o)
    {
        var request = RequestOf(o);
        var query = request.Url.IndexOf('?');
        var path = query < 0 ? request.Url : request.Url[..query];
        if (path.EndsWith("/old", StringComparison.Ordinal))
        {
            request.Url = path[..^3] + "new" + request.Url[path.Length..];
        }
        if (request.Headers.GetValueOrDefault("X-Method") == "post")
        {
            request.Method = "POST";
        }
        if (request.RawBody.IsEmpty || !IsUtf8(request.RawBody))
        {
            return;
        }
        // ASCII letters only: the bytes of other letters are above them.
        var bytes = request.RawBody.ToByteArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] is >= (byte)'a' and <= (byte)'z')
            {
                bytes[i] -= 'a' - 'A';
            }
        }
        request.RawBody = ByteString.CopyFrom(bytes);
        request.Body = request.RawBody.ToStringUtf8();
    }

    private static bool IsUtf8(ByteString bytes)
    {
        try
        {
            Utf8.GetCharCount(bytes.Span);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static void Tenant(Coprocess.Object o)
    {
        using var config = JsonDocument.Parse(o.Spec["config_data"]);
        RequestOf(o).SetHeaders["X-Tenant"] = config.RootElement.GetProperty("tenant").GetString()!;
    }

    private static void Reply(Coprocess.Object o)
    {
        var response = o.Response ??= new ResponseObject();
        var kept = response.MultivalueHeaders.Where(h => h.Key is not ("X-Internal" or "X-Reply")).ToList();
        response.MultivalueHeaders.Clear();
        response.MultivalueHeaders.Add(kept);
        response.MultivalueHeaders.Add(new Header { Key = "X-Reply", Values = { "sample" } });
        response.Headers.Remove("X-Internal");
        response.Headers["X-Reply"] = "sample";
        response.RawBody = ByteString.CopyFrom([.. response.RawBody.Span, .. " (seen)"u8]);
        if (response.StatusCode == 200 && o.Request?.Headers.ContainsKey("X-Accept") == true)
        {
            response.StatusCode = 202;
        }
    }
}
