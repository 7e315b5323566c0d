// Sends the topics that show a state, each when it is due; while nobody listens it does not run at all.
using SspHost.Abi;

namespace SspHost.Remote;

/// <summary>Feeds and who listens to them.</summary>
internal sealed class Publisher : IDisposable
{
    private readonly ControlTarget _target;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private Feed[] _feeds = [];

    public Publisher(ControlTarget target)
    {
        _target = target;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Topics at rates that are being measured; 0: nobody listens.</summary>
    public int Feeds => Volatile.Read(ref _feeds).Length;

    /// <summary>Replaces what a client listens to.</summary>
    public void Set(ControlConnection client, IReadOnlyList<Subscription> subscriptions)
    {
        lock (_lock)
        {
            var feeds = _feeds.ToList();
            foreach (var f in feeds) f.Members = [.. f.Members.Where(m => m != client)];
            foreach (var s in subscriptions)
            {
                if (!s.Topic.IsState) continue;
                var feed = feeds.Find(f => f.Serves(s));
                if (feed == null) feeds.Add(feed = new Feed(_target, s.Topic, s.IntervalNs, s.Modules));
                feed.Members = [.. feed.Members, client];
            }

            feeds.RemoveAll(f => f.Members.Length == 0);
            Volatile.Write(ref _feeds, [.. feeds]);
        }

        if (_changed.CurrentCount == 0) _changed.Release();
    }

    public void Dispose()
    {
        if (_stop.IsCancellationRequested) return;
        _stop.Cancel();
        try
        {
            _running.Wait();
        }
        catch (AggregateException)
        {
            // It ended by its cancellation.
        }

        _changed.Dispose();
        _stop.Dispose();
    }

    // A defect of one message must not silence the others.
    private byte[]? Turn(Feed feed)
    {
        try
        {
            return feed.Turn(Linux.Now());
        }
        catch (Exception e)
        {
            if (!feed.Failed) _target.Log.Add($"defect: '{feed.Topic.Name}' cannot be shown: {e.GetType().Name}: {e.Message}");
            feed.Failed = true;
            return null;
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            var feeds = Volatile.Read(ref _feeds);
            var next = ulong.MaxValue;
            foreach (var feed in feeds)
            {
                if (Turn(feed) is { } line)
                    foreach (var member in feed.Members) member.Newest(feed.Topic, line);
                next = Math.Min(next, feed.Next);
            }

            var now = Linux.Now();
            var wait = feeds.Length == 0 ? -1 : next <= now ? 0 : (int)Math.Min((next - now + 999_999) / 1_000_000, 10_000);
            await _changed.WaitAsync(wait, _stop.Token);
        }
    }
}
