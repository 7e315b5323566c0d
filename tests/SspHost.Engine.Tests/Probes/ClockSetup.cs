// The clock is one per process and so is its rate: measured before the first test, it is the same at the start and at the end of each.
using System.Runtime.CompilerServices;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Tests.Probes;

internal static class ClockSetup
{
    [ModuleInitializer]
    internal static void Measure() => CycleClock.Calibrate();
}
