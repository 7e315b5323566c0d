// What the engine's benchmarks compute of what they measured: where a burst comes back, and cyclictest's histogram.
using System.Text;
using SspHost.EngineHost.Bench;

namespace SspHost.Bench.Tests;

public sealed class EngineSideTests
{
    [Fact]
    public void A_burst_is_found_where_it_was_put_weak_inverted_offset_or_in_noise()
    {
        var random = new Random(1);
        var burst = Enumerable.Range(0, 256).Select(_ => random.Next(2) == 0 ? -1f : 1f).ToArray();
        for (var round = 0; round < 200; round++)
        {
            var delay = random.Next(0, 4000);
            var gain = (float)(Math.Pow(10, -3 * random.NextDouble()) * (random.Next(2) == 0 ? -5 : 5));
            var heard = new float[4256];
            for (var i = 0; i < heard.Length; i++) heard[i] = Math.Abs(gain) * 0.7f * ((2 * random.NextSingle()) - 1); // noise of 0.4 of its power
            for (var i = 0; i < burst.Length; i++) heard[delay + i] += gain * burst[i];
            Assert.Equal(delay, LatencyFinder.Find(heard, burst));
        }
    }

    [Fact]
    public void Nothing_is_found_in_silence_hum_noise_or_half_a_burst()
    {
        var random = new Random(1);
        var burst = Enumerable.Range(0, 256).Select(_ => random.Next(2) == 0 ? -1f : 1f).ToArray();
        Assert.Equal(-1, LatencyFinder.Find(new float[4000], burst));
        Assert.Equal(-1, LatencyFinder.Find([.. Enumerable.Range(0, 4000).Select(i => MathF.Sin(i * 0.0065f))], burst));
        Assert.Equal(-1, LatencyFinder.Find([.. Enumerable.Range(0, 4000).Select(_ => random.NextSingle() - 0.5f)], burst));
        Assert.Equal(-1, LatencyFinder.Find([.. new float[3900], .. burst[..100]], burst));
        Assert.Equal(-1, LatencyFinder.Find(burst[..100], burst));
    }

    [Fact]
    public void Cyclictests_histogram_becomes_samples_and_what_is_beyond_it_its_greatest()
    {
        const string Told = """
            { "file_version": 1, "cmdline:": "cyclictest", "return_code": 0, "num_threads": 1, "resolution_in_ns": 0,
              "thread": { "0": { "histogram": { "3": 2, "17": 1 }, "cycles": 5, "min": 3, "max": 25000, "avg": 9.5, "cpu": 1, "node": 0 } } }
            """;
        var late = new List<double>();
        Assert.Null(CyclicTest.Read(Encoding.UTF8.GetBytes(Told), late));
        Assert.Equal([3, 3, 17, 25_000, 25_000], late);
        foreach (var bad in new[] { "", "{}", "[]", """{"thread":{}}""", """{"thread":{"0":{"histogram":{"x":1}}}}""", """{"thread":{"0":{"histogram":{"1":"2"}}}}""" })
            Assert.NotNull(CyclicTest.Read(Encoding.UTF8.GetBytes(bad), []));
    }
}
