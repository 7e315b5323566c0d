// Writes ssp_module.h from the contract's structs by reflection, comments from their XML documentation: there is one source of the ABI.
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace SspHost.Abi.Tests;

internal static partial class CHeader
{
    private static readonly Type[] Enums =
    [
        typeof(SignalFlags), typeof(EventKind), typeof(ProcessResult), typeof(WorkState), typeof(ChannelRule), typeof(PortKind),
        typeof(ParameterCurve), typeof(TelemetryKind), typeof(ModuleFlags),
    ];

    /// <summary>The structs of the contract, each after those it uses.</summary>
    public static readonly Type[] Structs =
    [
        typeof(Signal), typeof(ModuleEvent), typeof(Asset), typeof(WorkJob), typeof(ProcessContext), typeof(InstanceSetup), typeof(ModuleTiming),
        typeof(NativePort), typeof(NativeParameter), typeof(NativeSetting), typeof(NativeAssetSlot), typeof(NativeTelemetry), typeof(NativeDescriptor),
        typeof(NativeModule),
    ];

    // Structs a module only ever reads through a pointer.
    private static readonly HashSet<Type> ReadOnly =
    [
        typeof(NativeDescriptor), typeof(NativePort), typeof(NativeParameter), typeof(NativeSetting), typeof(NativeAssetSlot), typeof(NativeTelemetry),
        typeof(InstanceSetup), typeof(ProcessContext), typeof(Asset),
    ];

    private static readonly string[] LimitNames =
        [nameof(Limits.Grid), nameof(Limits.MinQuantum), nameof(Limits.MaxQuantum), nameof(Limits.GridPoints), nameof(Limits.MaxChannels),
         nameof(Limits.MaxParameters), nameof(Limits.MaxPorts), nameof(Limits.MaxAssets), nameof(Limits.MaxLibraryModules)];

    private static readonly Dictionary<string, string> Docs = XDocument
        .Load(Path.ChangeExtension(typeof(Limits).Assembly.Location, ".xml")).Descendants("member")
        .Where(m => m.Element("summary") != null)
        .ToDictionary(m => m.Attribute("name")!.Value, m => PlainText(m.Element("summary")!), StringComparer.Ordinal);

    /// <summary>The whole header.</summary>
    public static string Generate()
    {
        var w = new StringBuilder();
        w.Append("""
            /* ssp_module.h: what a module written in C, C++, Rust or anything that speaks the C ABI includes.
             * Generated from src/SspHost.Abi; do not edit. Values are volts in float32: audio +-5 V, CV 0..10 or +-5 V,
             * 1 V/oct with 0 V = C4 = 261.6256 Hz, gates 10 V, triggers 1 ms.
             * Tags name the only thread and state a function is called in: [steward] off the real-time threads; [audio-thread] a
             * real-time thread, where a module may neither allocate, lock, block, fault nor make a system call.
             */
            #ifndef SSP_MODULE_H
            #define SSP_MODULE_H

            #include <stddef.h>
            #include <stdint.h>

            #ifdef __cplusplus
            extern "C" {
            #endif


            """);
        w.Append(CultureInfo.InvariantCulture, $"#define SSP_ABI_MODULE {AbiVersion.Module}u\n");
        foreach (var name in LimitNames)
        {
            var field = typeof(Limits).GetField(name)!;
            Comment(w, $"F:SspHost.Abi.Limits.{name}", "");
            w.Append(CultureInfo.InvariantCulture, $"#define SSP_{Snake(name).ToUpperInvariant()} {field.GetRawConstantValue()}\n");
        }

        foreach (var e in Enums) WriteEnum(w, e);
        foreach (var s in Structs) w.Append(CultureInfo.InvariantCulture, $"typedef struct {CName(s)} {CName(s)};\n");
        foreach (var s in Structs) WriteStruct(w, s);
        w.Append("""

            /* Parameter `index` at grid point `point` of this quantum: 0 is its start, frames / SSP_GRID its end. */
            static inline float ssp_param(const ssp_process_context *context, int index, int point)
            {
                return context->params[index * SSP_GRID_POINTS + point];
            }

            /* Samples of an input's channel as a polyphonic module hears it: a one-channel cable is heard by every voice. */
            static inline const float *ssp_in(const ssp_process_context *context, int port, int channel)
            {
                const ssp_signal *s = &context->inputs[port];
                return channel < s->channels ? s->data + (ptrdiff_t)channel * s->stride : s->channels == 1 ? s->data : context->silence;
            }

            /* Samples of an output's channel, to be filled. */
            static inline float *ssp_out(const ssp_process_context *context, int port, int channel)
            {
                const ssp_signal *s = &context->outputs[port];
                return s->data + (ptrdiff_t)channel * s->stride;
            }

            /* Next event for this module at or after position *cursor (start with 0), or NULL. frame is the offset in this quantum.
             * [audio-thread] */
            static inline const ssp_module_event *ssp_next_event(const ssp_process_context *context, int *cursor)
            {
                while (*cursor < context->event_count) {
                    const ssp_module_event *e = &context->events[(*cursor)++];
                    if (e->target == 0 || e->target == context->key) return e;
                }
                return NULL;
            }

            /* Asks for work to be called off the real-time threads; 0 while an earlier job is under way or its reply was not taken.
             * [audio-thread] */
            static inline int ssp_request_work(const ssp_process_context *context, int32_t kind, int64_t argument)
            {
                if (__atomic_load_n(&context->job->state, __ATOMIC_ACQUIRE) != SSP_WORK_STATE_IDLE) return 0;
                context->job->kind = kind;
                context->job->argument = argument;
                __atomic_store_n(&context->job->state, SSP_WORK_STATE_REQUESTED, __ATOMIC_RELEASE);
                __atomic_fetch_or(&context->work_pending[context->slot >> 6], UINT64_C(1) << (context->slot & 63), __ATOMIC_SEQ_CST);
                return 1;
            }

            /* Takes the reply of a finished job, once; 0: there is none. [audio-thread] */
            static inline int ssp_take_reply(const ssp_process_context *context, int32_t *kind, int64_t *result)
            {
                if (__atomic_load_n(&context->job->state, __ATOMIC_ACQUIRE) != SSP_WORK_STATE_REPLIED) return 0;
                *kind = context->job->kind;
                *result = context->job->result;
                __atomic_store_n(&context->job->state, SSP_WORK_STATE_IDLE, __ATOMIC_RELEASE);
                return 1;
            }

            /* What marks a function as exported, whatever the compiler hides. */
            #define SSP_EXPORT __attribute__((visibility("default")))

            /* What a library of modules exports: the table of module 0, 1, 2 ... until NULL; at most SSP_MAX_LIBRARY_MODULES. The same
             * tables at every call. [steward] */
            SSP_EXPORT const ssp_native_module *ssp_module_get(uint32_t index);

            /* The next two are for a library that brings a runtime of its own (C#: the template in this folder does it); C and C++
             * leave them out. ssp_thread_attach does nothing, so that the runtime knows the calling thread before it plays: the engine
             * calls it on every real-time thread. [any thread of the engine, between quanta] */
            SSP_EXPORT void ssp_thread_attach(void);

            /* Collections the runtime has made: each may have stopped a real-time thread, so the engine watches it and tells.
             * [steward] */
            SSP_EXPORT uint64_t ssp_runtime_collections(void);

            #ifdef __cplusplus
            }
            #endif
            #endif

            """);
        return w.ToString();
    }

    /// <summary>ssp_process_context for ProcessContext.</summary>
    public static string CName(Type t) => "ssp_" + Snake(t.Name);

    /// <summary>snake_case of a PascalCase name.</summary>
    public static string Snake(string name) => Words().Replace(name, "_$0").TrimStart('_').ToLowerInvariant();

    private static void WriteEnum(StringBuilder w, Type e)
    {
        w.Append('\n');
        Comment(w, $"T:{e.FullName}", "");
        w.Append(CultureInfo.InvariantCulture, $"typedef {Primitive(Enum.GetUnderlyingType(e))} {CName(e)};\nenum {{\n");
        foreach (var name in Enum.GetNames(e))
        {
            Comment(w, $"F:{e.FullName}.{name}", "    ");
            var value = Convert.ToInt64(Enum.Parse(e, name), CultureInfo.InvariantCulture);
            w.Append(CultureInfo.InvariantCulture, $"    SSP_{Snake(e.Name).ToUpperInvariant()}_{Snake(name).ToUpperInvariant()} = {value},\n");
        }

        w.Append("};\n");
    }

    private static void WriteStruct(StringBuilder w, Type s)
    {
        w.Append('\n');
        Comment(w, $"T:{s.FullName}", "");
        w.Append(CultureInfo.InvariantCulture, $"struct {CName(s)} {{\n");
        foreach (var f in Fields(s))
        {
            Comment(w, $"F:{s.FullName}.{f.Name}", "    ");
            w.Append("    ").Append(Declaration(f)).Append(";\n");
        }

        w.Append("};\n");
    }

    /// <summary>Fields in memory order.</summary>
    public static IEnumerable<FieldInfo> Fields(Type s) =>
        s.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(f => Marshal.OffsetOf(s, f.Name).ToInt64());

    /// <summary>Name of a field in C.</summary>
    public static string FieldName(FieldInfo f) => Snake(f.Name.TrimStart('_')) is var name && name == "default" ? "default_value" : name; // a keyword in C

    private static string Declaration(FieldInfo f)
    {
        var type = f.GetModifiedFieldType();
        if (!type.IsFunctionPointer) return $"{CType(f.FieldType)}{FieldName(f)}";
        var parameters = type.GetFunctionPointerParameterTypes().Select((p, i) => Parameter(f.Name, i, p.UnderlyingSystemType));
        return $"{CType(type.GetFunctionPointerReturnType().UnderlyingSystemType)}(*{FieldName(f)})({string.Join(", ", parameters)})";
    }

    // The functions that have no instance yet are told whose they are.
    private static readonly HashSet<string> WithContext =
        [nameof(NativeModule.SharedBytes), nameof(NativeModule.BuildShared), nameof(NativeModule.InstanceBytes), nameof(NativeModule.Construct)];

    private static string Parameter(string function, int position, Type p) =>
        position == 0 && WithContext.Contains(function) ? "void *context"
        : p != typeof(byte*) ? CType(p) + ParameterName(function, p)
        : function == nameof(NativeModule.SaveState) ? "void *state" : "const void *state";

    // Function pointer types carry no names; the types say what is meant.
    private static string ParameterName(string function, Type p) =>
        p == typeof(void*) ? function == nameof(NativeModule.BuildShared) ? "shared" : "self"
        : p == typeof(float) ? "sample_rate"
        : p == typeof(uint) ? "version"
        : p == typeof(int) ? function == nameof(NativeModule.AssetChanged) ? "slot" : "bytes"
        : p == typeof(InstanceSetup*) ? "setup"
        : p == typeof(ModuleTiming*) ? "timing"
        : p == typeof(ProcessContext*) ? "context"
        : p == typeof(Asset*) ? "asset"
        : p == typeof(WorkJob*) ? "job"
        : throw new NotSupportedException($"no name for a parameter of type {p} in {function}");

    // The C type, with the space or star that stands before a name.
    private static string CType(Type t)
    {
        if (t.IsPointer)
        {
            var element = t.GetElementType()!;
            if (element == typeof(byte)) return "const char *";
            if (element == typeof(byte*)) return "const char *const *";
            if (ReadOnly.Contains(element)) return "const " + CType(element) + "*";
            return CType(element).TrimEnd(' ') + (element.IsPointer ? "*" : " *");
        }

        if (t == typeof(void)) return "void ";
        if (t.IsEnum) return (Enums.Contains(t) ? CName(t) : Primitive(Enum.GetUnderlyingType(t))) + " ";
        return (Structs.Contains(t) ? CName(t) : Primitive(t)) + " ";
    }

    private static string Primitive(Type t) =>
        t == typeof(float) ? "float"
        : t == typeof(byte) ? "uint8_t"
        : t == typeof(ushort) ? "uint16_t"
        : t == typeof(int) ? "int32_t"
        : t == typeof(uint) ? "uint32_t"
        : t == typeof(long) ? "int64_t"
        : t == typeof(ulong) ? "uint64_t"
        : throw new NotSupportedException($"{t} is not part of the C contract");

    private static void Comment(StringBuilder w, string member, string indent)
    {
        if (!Docs.TryGetValue(member, out var text)) return;
        var lines = Wrap(text, 116 - indent.Length);
        w.Append(indent).Append("/* ").AppendJoin("\n" + indent + " * ", lines).Append(" */\n");
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            if (line.Length > 0) line.Append(' ');
            line.Append(word);
        }

        yield return line.ToString();
    }

    private static string PlainText(XElement summary)
    {
        var text = new StringBuilder();
        foreach (var node in summary.Nodes())
            text.Append(node is XElement e ? e.Attribute("cref") is { } cref ? ReferenceName(cref.Value) : e.Value : ((XText)node).Value);
        return Blanks().Replace(text.ToString(), " ").Trim();
    }

    private static string ReferenceName(string cref)
    {
        var name = cref[2..].Split('(')[0].Split('.');
        return cref[0] == 'T' ? "ssp_" + Snake(name[^1]) : Snake(name[^1]);
    }

    [GeneratedRegex("(?<=[a-z0-9])[A-Z]", RegexOptions.None, 1000)]
    private static partial Regex Words();

    [GeneratedRegex(@"\s+", RegexOptions.None, 1000)]
    private static partial Regex Blanks();
}
