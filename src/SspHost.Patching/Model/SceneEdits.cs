// Scenes in use: taken from a patch, recalled, and what lies between two of them.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Makes scenes of patches, and edits of scenes. Nothing here changes anything by itself.</summary>
public static class SceneEdits
{
    /// <summary>The scene that a patch is at this moment: every parameter of every module, with its default where the patch says nothing.</summary>
    public static Scene Take(Patch patch, DescriptorIndex modules, string name = "")
    {
        var (parameters, bypass) = (new List<Named<NamedValues<float>>>(), new List<Named<bool>>());
        foreach (var m in patch.Modules)
        {
            bypass.Add(new Named<bool>(m.Id, m.Bypass));
            if (modules.Find(m.Type)?.Descriptor is not { Parameters.Count: > 0 } type) continue;
            parameters.Add(new Named<NamedValues<float>>(m.Id, NamedValues<float>.From(type.Parameters.Select(p => new Named<float>(p.Id, ValueOf(m, p))))));
        }

        return new Scene { Name = name, Parameters = NamedValues<NamedValues<float>>.From(parameters), Bypass = NamedValues<bool>.From(bypass) };
    }

    /// <summary>The edits that bring a patch to a scene; none where it is there already.</summary>
    public static List<Edit> Recall(Patch patch, Scene scene, DescriptorIndex modules)
    {
        var edits = new List<Edit>();
        foreach (var m in patch.Modules)
        {
            if (scene.Bypass.TryGet(m.Id, out var on) && on != m.Bypass) edits.Add(new Bypass(m.Id, on));
            if (!scene.Parameters.TryGet(m.Id, out var values) || modules.Find(m.Type)?.Descriptor is not { } type) continue;
            foreach (var p in type.Parameters)
            {
                // What an older version of the module allowed is brought into its present range.
                if (values.TryGet(p.Id, out var value)) Add(edits, m, p, Math.Clamp(value, p.Min, p.Max));
            }
        }

        return edits;
    }

    /// <summary>
    /// The edits that bring a patch to a place between two scenes: 0 is the first, 1 the second. Parameters that both have go along their own
    /// curves; what is stepped, and bypass, changes in the middle.
    /// </summary>
    public static List<Edit> Morph(Patch patch, Scene first, Scene second, double place, DescriptorIndex modules)
    {
        place = double.IsFinite(place) ? Math.Clamp(place, 0, 1) : 0;
        var edits = new List<Edit>();
        foreach (var m in patch.Modules)
        {
            if ((place < 0.5 ? first : second).Bypass.TryGet(m.Id, out var on) && on != m.Bypass) edits.Add(new Bypass(m.Id, on));
            if (!first.Parameters.TryGet(m.Id, out var a) || !second.Parameters.TryGet(m.Id, out var b) || modules.Find(m.Type)?.Descriptor is not { } type) continue;
            foreach (var p in type.Parameters)
            {
                if (!a.TryGet(p.Id, out var from) || !b.TryGet(p.Id, out var to)) continue;
                (from, to) = (Math.Clamp(from, p.Min, p.Max), Math.Clamp(to, p.Min, p.Max));
                Add(edits, m, p, Between(p, from, to, place));
            }
        }

        return edits;
    }

    private static float Between(ParameterDescriptor p, float from, float to, double place)
    {
        // The ends are exactly the scenes: a travel there and back is rounded.
        if (place <= 0 || from == to) return from;
        if (place >= 1) return to;
        if (p.Curve == ParameterCurve.Stepped) return place < 0.5 ? from : to;
        var (a, b) = (ParameterTravel.Of(p, from), ParameterTravel.Of(p, to));
        return ParameterTravel.At(p, a + ((b - a) * place));
    }

    private static void Add(List<Edit> edits, Module m, ParameterDescriptor p, float value)
    {
        if (value != ValueOf(m, p)) edits.Add(new SetParameter(m.Id, p.Id, value));
    }

    private static float ValueOf(Module m, ParameterDescriptor p) => m.Parameters.TryGet(p.Id, out var v) ? v : p.Default;
}
