// The typical mix that a capacity is counted in: voices of a polyphonic synthesizer, with what stands beside them in a rack.
using SspHost.Patching;

namespace SspHost.Commands;

/// <summary>
/// A voice: lfo, vco, svf, adsr, vca, all at work (the LFO opens the envelope again and again and moves the filter). Of four voices, a mixer; of
/// eight, a delay behind it; of sixteen, a reverb. Nothing of it ever sleeps.
/// </summary>
internal static class CapacityPatch
{
    private const int ToMixer = 4, ToDelay = 8, ToReverb = 16;

    /// <summary>The patch; its modules are counted without the output.</summary>
    public static Patch Of(DescriptorIndex types, int voices)
    {
        var patch = Patch.New() with { Name = "capacity", Quantum = 32 };
        List<Edit> edits = [Add(types, "out", "audio-out")];
        for (var v = 0; v < voices; v++)
        {
            foreach (var (id, type) in ((string, string)[])[("lfo", "lfo"), ("vco", "vco"), ("svf", "svf"), ("env", "adsr"), ("vca", "vca")]) edits.Add(Add(types, $"{id}{v}", type));
            Plug(edits, $"lfo{v}.out", $"env{v}.gate");
            Plug(edits, $"vco{v}.saw", $"svf{v}.in");
            Plug(edits, $"lfo{v}.out", $"svf{v}.pitch", 0.2f);
            Plug(edits, $"svf{v}.low", $"vca{v}.in");
            Plug(edits, $"env{v}.env", $"vca{v}.cv");
            var (bus, place) = (v / ToMixer, v % ToMixer);
            if (place == 0) AddBus(types, edits, bus);
            Plug(edits, $"vca{v}.out", $"bus{bus}.in{place + 1}", 0.3f);
        }

        foreach (var edit in edits) patch = PatchEdits.Apply(patch, edit, types, out var error) ?? throw new CommandException(error!.ToString());
        return patch;
    }

    // A mixer; every second one goes through a delay, and every second of those through a reverb.
    private static void AddBus(DescriptorIndex types, List<Edit> edits, int bus)
    {
        edits.Add(Add(types, $"bus{bus}", "mixer"));
        var from = $"bus{bus}.out";
        if (bus % (ToDelay / ToMixer) == 1)
        {
            edits.Add(Add(types, $"echo{bus}", "delay"));
            Plug(edits, from, $"echo{bus}.in");
            from = $"echo{bus}.out";
        }

        if (bus % (ToReverb / ToMixer) == 3)
        {
            edits.Add(Add(types, $"room{bus}", "reverb"));
            Plug(edits, from, $"room{bus}.left");
            from = $"room{bus}.left";
        }

        Plug(edits, from, $"out.in{(bus % 2) + 1}", 0.02f);
    }

    private static void Plug(List<Edit> edits, string from, string to, float gain = 1) => edits.Add(new Connect(BenchPatch.At(from), BenchPatch.At(to), gain));

    private static AddModule Add(DescriptorIndex types, string id, string type) => new(new Module { Id = id, Type = type, Version = types.Find(type)!.Descriptor.Version });
}
