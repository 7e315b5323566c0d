// liblilv, which reads the RDF that LV2 plugins are described in: the functions that are used, and a world of its own for each scan.
using System.Runtime.InteropServices;

namespace SspHost.Lv2;

/// <summary>A world of bundles. Where the library is missing, making one throws <see cref="DllNotFoundException"/>. For one thread.</summary>
internal sealed unsafe partial class Lilv : IDisposable
{
    /// <summary>Debian's package of the library.</summary>
    public const string Package = "liblilv-0-0";

    private const string Library = "liblilv-0.so.0";

    private readonly nint _world;
    private readonly Dictionary<string, nint> _uris = new(StringComparer.Ordinal);

    /// <summary>
    /// Loads the bundles in the directories of <paramref name="path"/>, which colons separate: one by one and not by lilv_world_load_all, which takes
    /// every directory for a bundle, and says of none what was wrong with it.
    /// </summary>
    public Lilv(string path)
    {
        _world = WorldNew();
        if (_world == 0) throw new IOException("liblilv makes no world");
        var damaged = new List<(string, string)>();
        foreach (var bundle in Bundles(path))
        {
            var uri = NewFileUri(_world, 0, bundle + "/");
            if (LilvWords.Of(() => LoadBundle(_world, uri)) is { } why) damaged.Add((bundle, why));
            NodeFree(uri);
        }

        Damaged = damaged;
        _ = LilvWords.Of(() =>
        {
            LoadSpecifications(_world);
            LoadClasses(_world);
        });
    }

    /// <summary>Bundles that could not be read, or not all of them, and why.</summary>
    public IReadOnlyList<(string Bundle, string Why)> Damaged { get; }

    // Directories with a manifest.
    private static IEnumerable<string> Bundles(string path)
    {
        foreach (var directory in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Directory.Exists(directory)) continue;
            foreach (var bundle in Directory.GetDirectories(Path.GetFullPath(directory)).Order(StringComparer.Ordinal))
                if (File.Exists(Path.Combine(bundle, "manifest.ttl"))) yield return bundle;
        }
    }

    /// <summary>Whether the library is there.</summary>
    public static bool IsPresent
    {
        get
        {
            if (!NativeLibrary.TryLoad(Library, out var handle)) return false;
            NativeLibrary.Free(handle);
            return true;
        }
    }

    /// <summary>All plugins, in order of URI.</summary>
    public IReadOnlyList<nint> Plugins()
    {
        var all = GetAllPlugins(_world);
        var list = new List<nint>();
        for (var i = PluginsBegin(all); PluginsIsEnd(all, i) == 0; i = PluginsNext(all, i)) list.Add(PluginsGet(all, i));
        list.Sort((a, b) => string.CompareOrdinal(Uri(a), Uri(b)));
        return list;
    }

    public static string Uri(nint plugin) => AsString(PluginGetUri(plugin)) ?? "";

    /// <summary>Its name; empty: it has none.</summary>
    public static string Name(nint plugin) => Owned(PluginGetName(plugin)) ?? "";

    public static string ClassUri(nint plugin) => AsString(ClassGetUri(PluginGetClass(plugin))) ?? "";

    public static string ClassLabel(nint plugin) => AsString(ClassGetLabel(PluginGetClass(plugin))) ?? "";

    public static string Author(nint plugin) => Owned(PluginGetAuthorName(plugin)) ?? "";

    /// <summary>Directory of the bundle with a slash at its end; null: it is no file.</summary>
    public static string? Bundle(nint plugin) => PathOf(PluginGetBundleUri(plugin));

    /// <summary>The binary; null: its RDF names none.</summary>
    public static string? Binary(nint plugin) => PathOf(PluginGetLibraryUri(plugin));

    public static IReadOnlyList<string> RequiredFeatures(nint plugin) => Texts(PluginGetRequiredFeatures(plugin));

    /// <summary>The features it can use.</summary>
    public static IReadOnlyList<string> Features(nint plugin) => Texts(PluginGetSupportedFeatures(plugin));

    public bool HasExtension(nint plugin, string uri) => PluginHasExtensionData(plugin, Node(uri)) != 0;

    /// <summary>The port that tells the latency; -1: none.</summary>
    public static int LatencyPort(nint plugin) => PluginHasLatency(plugin) != 0 ? (int)PluginGetLatencyPortIndex(plugin) : -1;

    /// <summary>Objects of a predicate of the plugin.</summary>
    public IReadOnlyList<string> Values(nint plugin, string predicate) => Texts(PluginGetValue(plugin, Node(predicate)));

    /// <summary>The presets that bundles bring for it, in order of their labels.</summary>
    public IReadOnlyList<Lv2PresetName> Presets(nint plugin)
    {
        var nodes = PluginGetRelated(plugin, Node("http://lv2plug.in/ns/ext/presets#Preset"));
        if (nodes == 0) return [];
        var list = new List<Lv2PresetName>();
        for (var i = NodesBegin(nodes); NodesIsEnd(nodes, i) == 0; i = NodesNext(nodes, i))
        {
            var preset = NodesGet(nodes, i);
            LoadResource(_world, preset); // the manifest need not have its name
            var label = Owned(WorldGet(_world, preset, Node("http://www.w3.org/2000/01/rdf-schema#label"), 0));
            if (AsString(preset) is { } uri && Lv2Names.Line(label ?? "", 100) is { Length: > 0 } text) list.Add(new Lv2PresetName(uri, text));
        }

        NodesFree(nodes);
        list.Sort((a, b) => string.CompareOrdinal(a.Label, b.Label) is not 0 and var order ? order : string.CompareOrdinal(a.Uri, b.Uri));
        return list;
    }

    public static int PortCount(nint plugin) => (int)PluginGetNumPorts(plugin);

    public static nint Port(nint plugin, int index) => PluginGetPortByIndex(plugin, (uint)index);

    /// <summary>Ranges of all ports; NaN where one has none.</summary>
    public static (float[] Min, float[] Max, float[] Default) Ranges(nint plugin)
    {
        var count = PortCount(plugin);
        var (min, max, def) = (new float[count], new float[count], new float[count]);
        fixed (float* a = min, b = max, c = def) PluginGetPortRangesFloat(plugin, a, b, c);
        return (min, max, def);
    }

    public bool PortIsA(nint plugin, nint port, string uri) => PortIsA(plugin, port, Node(uri)) != 0;

    public bool PortHas(nint plugin, nint port, string property) => PortHasProperty(plugin, port, Node(property)) != 0;

    public bool PortTakes(nint plugin, nint port, string type) => PortSupportsEvent(plugin, port, Node(type)) != 0;

    public static string Symbol(nint plugin, nint port) => AsString(PortGetSymbol(plugin, port)) ?? "";

    public static string PortName(nint plugin, nint port) => Owned(PortGetName(plugin, port)) ?? "";

    /// <summary>The first object of a predicate of the port; null: none.</summary>
    public string? PortValue(nint plugin, nint port, string predicate) => Owned(PortGet(plugin, port, Node(predicate)));

    /// <summary>Symbol of a unit that the port brings itself.</summary>
    public string? UnitSymbol(nint plugin, nint port)
    {
        var unit = PortGet(plugin, port, Node("http://lv2plug.in/ns/extensions/units#unit"));
        if (unit == 0) return null;
        var symbol = Owned(WorldGet(_world, unit, Node("http://lv2plug.in/ns/extensions/units#symbol"), 0));
        NodeFree(unit);
        return symbol;
    }

    /// <summary>The port's scale points in order of value.</summary>
    public static IReadOnlyList<(float Value, string Label)> ScalePoints(nint plugin, nint port)
    {
        var points = PortGetScalePoints(plugin, port);
        if (points == 0) return [];
        var list = new List<(float, string)>();
        for (var i = ScalePointsBegin(points); ScalePointsIsEnd(points, i) == 0; i = ScalePointsNext(points, i))
        {
            var point = ScalePointsGet(points, i);
            list.Add((NodeAsFloat(ScalePointGetValue(point)), AsString(ScalePointGetLabel(point)) ?? ""));
        }

        ScalePointsFree(points);
        list.Sort((a, b) => a.Item1.CompareTo(b.Item1));
        return list;
    }

    public void Dispose()
    {
        foreach (var node in _uris.Values) NodeFree(node);
        WorldFree(_world);
    }

    private nint Node(string uri)
    {
        if (!_uris.TryGetValue(uri, out var node)) _uris.Add(uri, node = NewUri(_world, uri));
        return node;
    }

    private static string? AsString(nint node) => node == 0 ? null : Marshal.PtrToStringUTF8(NodeAsString(node));

    private static string? Owned(nint node)
    {
        var text = AsString(node);
        NodeFree(node);
        return text;
    }

    private static string? PathOf(nint uri)
    {
        if (uri == 0) return null;
        var path = FileUriParse(NodeAsString(uri), 0);
        var text = Marshal.PtrToStringUTF8(path);
        if (path != 0) LilvFree(path);
        return text;
    }

    private static List<string> Texts(nint nodes)
    {
        var list = new List<string>();
        if (nodes == 0) return list;
        for (var i = NodesBegin(nodes); NodesIsEnd(nodes, i) == 0; i = NodesNext(nodes, i)) list.Add(AsString(NodesGet(nodes, i)) ?? "");
        NodesFree(nodes);
        list.Sort(string.CompareOrdinal);
        return list;
    }

    [LibraryImport(Library, EntryPoint = "lilv_world_new")]
    private static partial nint WorldNew();

    [LibraryImport(Library, EntryPoint = "lilv_world_free")]
    private static partial void WorldFree(nint world);

    [LibraryImport(Library, EntryPoint = "lilv_world_load_bundle")]
    private static partial void LoadBundle(nint world, nint uri);

    [LibraryImport(Library, EntryPoint = "lilv_world_load_specifications")]
    private static partial void LoadSpecifications(nint world);

    [LibraryImport(Library, EntryPoint = "lilv_world_load_plugin_classes")]
    private static partial void LoadClasses(nint world);

    [LibraryImport(Library, EntryPoint = "lilv_world_get")]
    private static partial nint WorldGet(nint world, nint subject, nint predicate, nint obj);

    [LibraryImport(Library, EntryPoint = "lilv_world_get_all_plugins")]
    private static partial nint GetAllPlugins(nint world);

    [LibraryImport(Library, EntryPoint = "lilv_plugins_begin")]
    private static partial nint PluginsBegin(nint plugins);

    [LibraryImport(Library, EntryPoint = "lilv_plugins_next")]
    private static partial nint PluginsNext(nint plugins, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_plugins_is_end")]
    private static partial byte PluginsIsEnd(nint plugins, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_plugins_get")]
    private static partial nint PluginsGet(nint plugins, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_new_uri", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint NewUri(nint world, string uri);

    [LibraryImport(Library, EntryPoint = "lilv_new_file_uri", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint NewFileUri(nint world, nint host, string path);

    [LibraryImport(Library, EntryPoint = "lilv_node_free")]
    private static partial void NodeFree(nint node);

    [LibraryImport(Library, EntryPoint = "lilv_node_as_string")]
    private static partial nint NodeAsString(nint node);

    [LibraryImport(Library, EntryPoint = "lilv_node_as_float")]
    private static partial float NodeAsFloat(nint node);

    [LibraryImport(Library, EntryPoint = "lilv_file_uri_parse")]
    private static partial nint FileUriParse(nint uri, nint hostname);

    [LibraryImport(Library, EntryPoint = "lilv_free")]
    private static partial void LilvFree(nint block);

    [LibraryImport(Library, EntryPoint = "lilv_nodes_begin")]
    private static partial nint NodesBegin(nint nodes);

    [LibraryImport(Library, EntryPoint = "lilv_nodes_next")]
    private static partial nint NodesNext(nint nodes, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_nodes_is_end")]
    private static partial byte NodesIsEnd(nint nodes, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_nodes_get")]
    private static partial nint NodesGet(nint nodes, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_nodes_free")]
    private static partial void NodesFree(nint nodes);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_uri")]
    private static partial nint PluginGetUri(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_name")]
    private static partial nint PluginGetName(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_class")]
    private static partial nint PluginGetClass(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_class_get_uri")]
    private static partial nint ClassGetUri(nint type);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_class_get_label")]
    private static partial nint ClassGetLabel(nint type);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_author_name")]
    private static partial nint PluginGetAuthorName(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_bundle_uri")]
    private static partial nint PluginGetBundleUri(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_library_uri")]
    private static partial nint PluginGetLibraryUri(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_required_features")]
    private static partial nint PluginGetRequiredFeatures(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_supported_features")]
    private static partial nint PluginGetSupportedFeatures(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_has_extension_data")]
    private static partial byte PluginHasExtensionData(nint plugin, nint uri);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_has_latency")]
    private static partial byte PluginHasLatency(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_latency_port_index")]
    private static partial uint PluginGetLatencyPortIndex(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_value")]
    private static partial nint PluginGetValue(nint plugin, nint predicate);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_related")]
    private static partial nint PluginGetRelated(nint plugin, nint type);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_num_ports")]
    private static partial uint PluginGetNumPorts(nint plugin);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_port_by_index")]
    private static partial nint PluginGetPortByIndex(nint plugin, uint index);

    [LibraryImport(Library, EntryPoint = "lilv_plugin_get_port_ranges_float")]
    private static partial void PluginGetPortRangesFloat(nint plugin, float* min, float* max, float* def);

    [LibraryImport(Library, EntryPoint = "lilv_port_is_a")]
    private static partial byte PortIsA(nint plugin, nint port, nint type);

    [LibraryImport(Library, EntryPoint = "lilv_port_has_property")]
    private static partial byte PortHasProperty(nint plugin, nint port, nint property);

    [LibraryImport(Library, EntryPoint = "lilv_port_supports_event")]
    private static partial byte PortSupportsEvent(nint plugin, nint port, nint type);

    [LibraryImport(Library, EntryPoint = "lilv_port_get_symbol")]
    private static partial nint PortGetSymbol(nint plugin, nint port);

    [LibraryImport(Library, EntryPoint = "lilv_port_get_name")]
    private static partial nint PortGetName(nint plugin, nint port);

    [LibraryImport(Library, EntryPoint = "lilv_port_get")]
    private static partial nint PortGet(nint plugin, nint port, nint predicate);

    [LibraryImport(Library, EntryPoint = "lilv_port_get_scale_points")]
    private static partial nint PortGetScalePoints(nint plugin, nint port);

    [LibraryImport(Library, EntryPoint = "lilv_scale_points_begin")]
    private static partial nint ScalePointsBegin(nint points);

    [LibraryImport(Library, EntryPoint = "lilv_scale_points_next")]
    private static partial nint ScalePointsNext(nint points, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_scale_points_is_end")]
    private static partial byte ScalePointsIsEnd(nint points, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_scale_points_get")]
    private static partial nint ScalePointsGet(nint points, nint i);

    [LibraryImport(Library, EntryPoint = "lilv_scale_points_free")]
    private static partial void ScalePointsFree(nint points);

    [LibraryImport(Library, EntryPoint = "lilv_scale_point_get_value")]
    private static partial nint ScalePointGetValue(nint point);

    [LibraryImport(Library, EntryPoint = "lilv_scale_point_get_label")]
    private static partial nint ScalePointGetLabel(nint point);
}
