// The reports that several tests look at, written once.
using SspHost.Diagnostics.Html;

namespace SspHost.Html.Tests;

public sealed class Reports : IDisposable
{
    /// <summary>Index of the one spike, and its load.</summary>
    public const int SpikeAt = 654_321;

    public const double SpikeLoad = 4.25;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-reports-").FullName;
    private readonly Lazy<string> _oneInAMillion, _tenMillion, _badDay;

    public Reports()
    {
        _oneInAMillion = new Lazy<string>(() => Write(Samples.One(Spiked(1_000_000) with { Spikes = [Samples.Spike(1000 + SpikeAt, SpikeLoad, "Reverb Hall")] })));
        _tenMillion = new Lazy<string>(() => Write(Samples.One(Spiked(10_000_000))));
        _badDay = new Lazy<string>(() => Write(Samples.One(Samples.BadDay(), "acid-line on a bad day")));
    }

    public string OneInAMillion => _oneInAMillion.Value;

    public string TenMillion => _tenMillion.Value;

    public string BadDay => _badDay.Value;

    public string Write(LoadReportData data)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.html");
        _ = LoadReportPage.Write(data, path);
        return path;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static LoadRun Spiked(int count)
    {
        var loads = Samples.Calm(count);
        loads[SpikeAt] = LoadCode.Encode(SpikeLoad);
        return Samples.Run(loads);
    }
}
