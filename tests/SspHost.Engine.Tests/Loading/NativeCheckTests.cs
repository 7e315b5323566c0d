// Every field of a native module's table, made wrong one at a time: each gets a sentence of its own, and none is used.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Loading;

namespace SspHost.Engine.Tests.Loading;

public sealed unsafe class NativeCheckTests : IDisposable
{
    private readonly List<nint> _blocks = [];

    private delegate void Spoil(NativeCheckTests make, NativeModule* table);

    private static readonly List<(string Words, Spoil Spoil)> Defects =
    [
        ("built for version 2 of ssp_module.h, this engine speaks 1", (_, t) => t->AbiVersion = 2),
        ("has a table of 8 bytes, expected sizeof(ssp_native_module)", (_, t) => t->Bytes = 8),
        ("has no descriptor (NULL)", (_, t) => t->Descriptor = null),
        ("has no function instance_bytes (NULL)", (_, t) => t->InstanceBytes = null),
        ("has no function construct (NULL)", (_, t) => t->Construct = null),
        ("has no function reset (NULL)", (_, t) => t->Reset = null),
        ("has no function process (NULL)", (_, t) => t->Process = null),
        ("one of shared_bytes and build_shared", (_, t) => t->SharedBytes = (delegate* unmanaged[Cdecl]<void*, float, long>)1),
        ("one of save_state and load_state", (_, t) => t->LoadState = null),
        ("has state_bytes of 8 and no save_state", (_, t) =>
            {
                t->SaveState = null;
                t->LoadState = null;
            }
       ),
        ("has a save_state and no state_bytes", (_, t) => t->Descriptor->StateBytes = 0),
        ("has state_bytes of -1", (_, t) => t->Descriptor->StateBytes = -1),
        ("the id is missing (NULL)", (_, t) => t->Descriptor->Id = null),
        ("the id is 'Upper'", (m, t) => t->Descriptor->Id = m.Text("Upper")),
        ("the id is ''", (m, t) => t->Descriptor->Id = m.Text("")),
        ("the name: a text is missing (NULL)", (_, t) => t->Descriptor->Name = null),
        ("the family: a text is empty", (m, t) => t->Descriptor->Family = m.Text("")),
        ("the text: a text has control characters", (m, t) => t->Descriptor->Text = m.Text("two\nlines")),
        ("the text: a text is not UTF-8", (m, t) => t->Descriptor->Text = m.Bytes(0x66, 0xFF, 0)),
        ("the name: a text is longer than 1000 bytes", (m, t) => t->Descriptor->Name = m.Text(new string('x', 1001))),
        ("the help: a text is longer than 8000 bytes", (m, t) => t->Descriptor->Help = m.Text(new string('x', 8001))),
        ("has version 0 of its state", (_, t) => t->Descriptor->Version = 0),
        ("flags that this version does not know: 64", (_, t) => t->Descriptor->Flags = (ModuleFlags)64),
        ("has 65 inputs, expected 0 to 64", (_, t) => t->Descriptor->InputCount = 65),
        ("has -1 outputs, expected 0 to 64", (_, t) => t->Descriptor->OutputCount = -1),
        ("counts 1 parameters and has none (NULL)", (_, t) => t->Descriptor->Parameters = null),
        ("has 9 asset slots, expected 0 to 8", (_, t) => t->Descriptor->AssetCount = 9),
        ("input 1 ('in') has the id of another one", (m, t) => t->Descriptor->Inputs[1].Id = m.Text("in")),
        ("input 0 ('in') is of a kind that this version does not know: 7", (_, t) => t->Descriptor->Inputs->Kind = (PortKind)7),
        ("output 0 ('out') has a fixed number of channels that is not from 1 to 16: 17", (_, t) => (t->Descriptor->Outputs->Rule, t->Descriptor->Outputs->Channels) = (ChannelRule.Fixed, 17)),
        ("output 0 ('out') takes its channels from a setting that does not exist: number 5", (_, t) => (t->Descriptor->Outputs->Rule, t->Descriptor->Outputs->Channels) = (ChannelRule.Setting, 5)),
        ("output 0 ('out') takes its channels from a setting that is not within 1 to 16: number 0", (_, t) => (t->Descriptor->Outputs->Rule, t->Descriptor->Outputs->Channels, t->Descriptor->Settings->Max) = (ChannelRule.Setting, 0, 17)),
        ("output 0 ('out') has a channel rule that this version does not know: 3", (_, t) => t->Descriptor->Outputs->Rule = (ChannelRule)3),
        ("parameter 0 ('cutoff') goes from NaN to 20000, expected a finite range", (_, t) => t->Descriptor->Parameters->Min = float.NaN),
        ("parameter 0 ('cutoff') goes from 20 to 20, expected a finite range", (_, t) => t->Descriptor->Parameters->Max = 20),
        ("expected its default within it, not 7", (_, t) => t->Descriptor->Parameters->Default = 7),
        ("a minimum above 0, because it is exponential", (_, t) => t->Descriptor->Parameters->Min = 0),
        ("whole numbers and a whole default, because it is stepped", (_, t) => (t->Descriptor->Parameters->Curve, t->Descriptor->Parameters->Default) = (ParameterCurve.Stepped, 20.5f)),
        ("has a curve that this version does not know: 9", (_, t) => t->Descriptor->Parameters->Curve = (ParameterCurve)9),
        ("has choices and no names for them (NULL): 2", (_, t) => t->Descriptor->Parameters->ChoiceCount = 2),
        ("a stepped one from 0 to its number of choices less 1", (m, t) =>
            {
                t->Descriptor->Parameters->Choices = m.Texts("one", "two");
                t->Descriptor->Parameters->ChoiceCount = 2;
            }
       ),
        ("setting 0 ('voices') goes from 1 to 4, expected its default within its range", (_, t) => t->Descriptor->Settings->Default = 5),
        ("setting 0 ('voices') goes from 1 to 4, expected a name for each of its values", (m, t) =>
            {
                t->Descriptor->Settings->Choices = m.Texts("one");
                t->Descriptor->Settings->ChoiceCount = 1;
            }
       ),
        ("telemetry entry 0 ('level') has a length that is not from 1 to 65536 floats: 0", (_, t) => t->Descriptor->Telemetry->Length = 0),
        ("telemetry entry 0 ('level') is of a kind that this version does not know: 12", (_, t) => t->Descriptor->Telemetry->Kind = (TelemetryKind)12),
    ];

    public void Dispose()
    {
        foreach (var block in _blocks) NativeMemory.Free((void*)block);
    }

    [Fact]
    public void A_sound_table_passes_and_its_descriptor_reads_back_as_the_blob_of_a_managed_one()
    {
        var table = Sound();
        Assert.Equal("", Check(table));
        var pen = new DescriptorPen(null);
        pen.Module(table->Descriptor, Text("/lib/x.so"));
        var bytes = new byte[pen.Bytes + 8];
        fixed (byte* at = bytes)
        {
            var writing = new DescriptorPen(at);
            writing.Number((int)AbiVersion.Descriptors);
            writing.Number(1);
            writing.Module(table->Descriptor, Text("/lib/x.so"));
        }

        var read = Assert.Single(DescriptorBlob.Read(bytes));
        Assert.Equal(("good", "/lib/x.so", 2, 1), (read.Id, read.File, read.Inputs.Count, read.Parameters.Count));
        Assert.Equal(bytes, DescriptorBlob.Write([read]));
    }

    [Fact]
    public void Each_defect_is_refused_in_its_own_words()
    {
        foreach (var (words, spoil) in Defects)
        {
            var table = Sound();
            spoil(this, table);
            Assert.Contains(words, Check(table), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_modules_of_one_library_cannot_have_one_id() => Assert.Equal("module 1 ('good'): has the id of another module of this library", Check(Sound(), Sound()));

    [Fact]
    public void A_library_without_a_module_is_none() => Assert.Contains("there is no module in it", Check(), StringComparison.Ordinal);

    [Fact]
    public void A_record_that_is_damaged_is_never_sound_beyond_its_end_and_never_breaks_a_limit()
    {
        var pen = new DescriptorPen(null);
        pen.Module(Sound()->Descriptor, Text("/lib/x.so"));
        var good = new byte[pen.Bytes];
        fixed (byte* at = good)
        {
            var writing = new DescriptorPen(at);
            writing.Module(Sound()->Descriptor, Text("/lib/x.so"));
        }

        var random = new Random(5);
        for (var i = 0; i < 20_000; i++)
        {
            var bad = good.AsSpan(0, random.Next(good.Length + 1)).ToArray();
            for (var n = random.Next(4); n > 0 && bad.Length > 0; n--) bad[random.Next(bad.Length)] = (byte)random.Next(256);
            fixed (byte* at = bad)
            {
                var eye = new DescriptorEye(at, bad.Length);
                var sound = eye.Record(null, null, out var id, out var idBytes);
                Assert.True(eye.At <= bad.Length && (id == null || (id >= at && id + idBytes <= at + bad.Length)));
                if (bad.Length < good.Length - 64) Assert.False(sound && eye.At > bad.Length);
            }
        }
    }

    private static string Check(params NativeModule*[] tables)
    {
        var words = stackalloc byte[LibraryLoad.RefusalBytes];
        var list = stackalloc NativeModule*[4];
        for (var i = 0; i < tables.Length; i++) list[i] = tables[i];
        var passed = new NativeCheck(words, LibraryLoad.RefusalBytes).Run(list, tables.Length);
        var text = LibraryRecord.Text(words, LibraryLoad.RefusalBytes);
        Assert.Equal(passed, text.Length == 0);
        return text;
    }

    // Functions are addresses that nobody calls.
    private NativeModule* Sound()
    {
        var d = Take<NativeDescriptor>();
        *d = new NativeDescriptor
        {
            Id = Text("good"), Name = Text("Good"), Family = Text("Filters"), Text = Text("It is good."), Help = Text("A page.\n\nTry it."), Version = 1, StateBytes = 8,
            InputCount = 2, OutputCount = 1, ParameterCount = 1, SettingCount = 1, AssetCount = 1, TelemetryCount = 1,
            Inputs = Take<NativePort>(2), Outputs = Take<NativePort>(1), Parameters = Take<NativeParameter>(1), Settings = Take<NativeSetting>(1),
            Assets = Take<NativeAssetSlot>(1), Telemetry = Take<NativeTelemetry>(1),
        };
        d->Inputs[0] = new NativePort { Id = Text("in"), Name = Text("In"), Rule = ChannelRule.Follow, Channels = 1 };
        d->Inputs[1] = new NativePort { Id = Text("cv"), Name = Text("CV"), Rule = ChannelRule.Fixed, Channels = 1 };
        d->Outputs[0] = new NativePort { Id = Text("out"), Name = Text("Out"), Rule = ChannelRule.Follow, Channels = 1 };
        d->Parameters[0] = new NativeParameter { Id = Text("cutoff"), Name = Text("Cutoff"), Unit = Text("Hz"), Min = 20, Max = 20_000, Default = 1000, Curve = ParameterCurve.Exponential };
        d->Settings[0] = new NativeSetting { Id = Text("voices"), Name = Text("Voices"), Min = 1, Max = 4, Default = 2 };
        d->Assets[0] = new NativeAssetSlot { Id = Text("file"), Name = Text("File") };
        d->Telemetry[0] = new NativeTelemetry { Id = Text("level"), Length = 1, Kind = TelemetryKind.Meter };
        var table = Take<NativeModule>();
        *table = new NativeModule
        {
            AbiVersion = AbiVersion.Module, Bytes = (uint)sizeof(NativeModule), Descriptor = d,
            InstanceBytes = (delegate* unmanaged[Cdecl]<void*, InstanceSetup*, long>)1,
            Construct = (delegate* unmanaged[Cdecl]<void*, void*, InstanceSetup*, ModuleTiming*, int>)1,
            Reset = (delegate* unmanaged[Cdecl]<void*, void>)1,
            Process = (delegate* unmanaged[Cdecl]<void*, ProcessContext*, ProcessResult>)1,
            SaveState = (delegate* unmanaged[Cdecl]<void*, byte*, int, int>)1,
            LoadState = (delegate* unmanaged[Cdecl]<void*, uint, byte*, int, int>)1,
        };
        return table;
    }

    private T* Take<T>(int count = 1) where T : unmanaged
    {
        var block = NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(T));
        _blocks.Add((nint)block);
        return (T*)block;
    }

    private byte* Text(string text) => Bytes([.. Encoding.UTF8.GetBytes(text), 0]);

    private byte* Bytes(params byte[] bytes)
    {
        var block = Take<byte>(bytes.Length);
        bytes.CopyTo(new Span<byte>(block, bytes.Length));
        return block;
    }

    private byte** Texts(params string[] texts)
    {
        var list = (byte**)Take<nint>(texts.Length);
        for (var i = 0; i < texts.Length; i++) list[i] = Text(texts[i]);
        return list;
    }
}
