// What a benchmark allocates by itself: the diagnoser counts the whole process, with whatever its runtime does meanwhile.
using System.Reflection;
using BenchmarkDotNet.Running;

namespace SspHost.Benchmarks;

internal static class OwnThread
{
    private const int Warm = 50, Calls = 200;

    /// <summary>Managed bytes that a call allocates on the thread that makes it, once everything has been met.</summary>
    public static double BytesPerCall(BenchmarkCase benchmark)
    {
        var d = benchmark.Descriptor;
        var instance = Activator.CreateInstance(d.Type)!;
        foreach (var p in benchmark.Parameters.Items) d.Type.GetProperty(p.Name)!.SetValue(instance, p.Value);
        _ = d.GlobalSetupMethod?.Invoke(instance, null);
        try
        {
            var method = d.WorkloadMethod;
            var bytes = method.ReturnType == typeof(void)
                ? Measure(method.CreateDelegate<Action>(instance))
                : (long)typeof(OwnThread).GetMethod(nameof(MeasureResult), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(method.ReturnType).Invoke(null, [method, instance])!;
            return bytes / (double)Calls / d.OperationsPerInvoke;
        }
        finally
        {
            _ = d.GlobalCleanupMethod?.Invoke(instance, null);
        }
    }

    private static long MeasureResult<T>(MethodInfo method, object instance)
    {
        var call = method.CreateDelegate<Func<T>>(instance);
        return Measure(() => _ = call());
    }

    private static long Measure(Action call)
    {
        for (var i = 0; i < Warm; i++) call();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++) call();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
