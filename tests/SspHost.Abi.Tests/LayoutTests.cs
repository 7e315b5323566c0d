// Sizes, offsets and padding of everything that crosses a border: a change here is a change of AbiVersion.
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi.Tests;

public sealed class LayoutTests
{
    /// <summary>Every struct that lies in the region, and its bytes, counted by hand from its fields.</summary>
    public static TheoryData<Type, int> Structs() => new()
    {
        { typeof(RingHeader), 384 },
        { typeof(Request), 4 + 4 + 8 + 8 + (4 * 8) + 8 },
        { typeof(Reply), 4 + 4 + 8 + 4 + 4 + 8 + (4 * 8) },
        { typeof(ModuleEvent), 8 + 4 + 2 + 1 + 1 + 4 + 4 },
        { typeof(Notice), 4 + 4 + (4 * 8) + (2 * 8) + 8 + (2 * 4) },
        { typeof(AudioStatus), (13 * 8) + (8 * 4) + (4 * 4) + 8 + (2 * 4 * Limits.MaxJacks) },
        { typeof(StewardStatus), (7 * 8) + 8 + (4 * 8) + (3 * 8) + (4 * 4) },
        { typeof(PoolStats), (21 * 8) + (3 * 8 * PoolStats.Classes) },
        { typeof(InstanceRecord), 8 + (2 * 8) + (3 * 8) + (2 * 8) + (4 * 8) + (4 * 8) + (2 * 8) + (3 * 4) + 4 + InstanceRecord.NameBytes },
        { typeof(ThreadRecord), 256 },
        { typeof(Histogram), (4 * 8) + (2 * 4) + (8 * 37 * 16) },
        { typeof(RecordRing), 640 },
        { typeof(RecordBlock), 2 * 8 + (4 * 4) },
        { typeof(TraceEvent), 32 },
        { typeof(ClockAnchor), 3 * 8 },
        { typeof(StallRecord), (8 * 8) + (4 * 4) + (4 * 4) + (2 * 4) + 8 + (3 * 4) + (3 * 4) + (8 * 3 * 24) + 32 },
        { typeof(Asset), (3 * 8) + (2 * 4) + (2 * 8) + (2 * 4) },
        { typeof(WorkJob), 4 + 4 + 8 + 8 },
        { typeof(AudioConfig), (8 * 4) + 8 + (2 * 8) + (4 * Limits.MaxThreads) + (2 * 128) + (18 * Limits.MaxJacks) + (2 * 4) },
        { typeof(StreamRing), 384 },
        { typeof(PlanHeader), (2 * 4) + 8 + (4 * 4) + (11 * 2 * 4) },
        { typeof(PlanNode), 8 + (16 * 4) + (4 * Limits.MaxCoreClasses) + InstanceRecord.NameBytes + 4 },
        { typeof(PlanInput), 4 * 4 },
        { typeof(PlanCable), (6 * 4) + 8 },
        { typeof(PlanOutput), 3 * 4 },
        { typeof(PlanFeedback), 4 * 4 },
        { typeof(PlanModulation), 3 * 4 },
        { typeof(SignalTap), 256 + (4 * SignalTap.Capacity) },
        { typeof(JackBench), (2 * 8) + (2 * 4) + (5 * 4 * Limits.MaxJacks) + 8 + (4 * Limits.MaxJacks) },
        { typeof(LoadRing), 128 },
        { typeof(OutputLevels), 8 },
        { typeof(PortLevel), 2 * 4 },
        { typeof(MidiPort), (4 * 4) + (3 * 8) + MidiLimits.NameBytes },
        { typeof(Heard), (2 * 8) + 4 + 2 + (2 * 1) + 4 + (2 * 4) + 4 },
        { typeof(MidiConfig), (2 * 4) + (MidiLimits.Paths * (MidiLimits.PathBytes + MidiLimits.NameBytes)) },
        { typeof(FrameAnchor), (3 * 8) + (2 * 4) },
        { typeof(ControllerRow), (3 * 8) + (6 * 4) + 2 + 4 + 2 },
        { typeof(ControllerTable), 8 + (2 * 4) },
        { typeof(PlanJack), (4 * 4) + 8 },
    };

    [Theory]
    [MemberData(nameof(Structs))]
    public void A_struct_of_the_region_has_the_size_its_fields_add_up_to(Type type, int bytes) => Assert.Equal(bytes, SizeOf(type));

    [Theory]
    [MemberData(nameof(Structs))]
    public void A_struct_of_the_region_holds_neither_pointer_nor_reference_nor_bool(Type type, int bytes)
    {
        Assert.True(bytes > 0);
        foreach (var field in Fields(type))
        {
            var t = field.FieldType.IsEnum ? Enum.GetUnderlyingType(field.FieldType) : field.FieldType;
            var buffer = field.GetCustomAttribute<FixedBufferAttribute>();
            Assert.True(buffer != null || t.IsPrimitive, $"{type.Name}.{field.Name}: {t}");
            Assert.False(t == typeof(bool) || t == typeof(nint) || t == typeof(nuint) || t == typeof(char),
                $"{type.Name}.{field.Name}: {t} differs between processes or languages");
        }
    }

    [Theory]
    [MemberData(nameof(Structs))]
    public void Every_field_lies_on_a_multiple_of_its_own_size(Type type, int bytes)
    {
        Assert.True(bytes > 0);
        foreach (var field in Fields(type))
        {
            var offset = (int)Marshal.OffsetOf(type, field.Name);
            var element = field.GetCustomAttribute<FixedBufferAttribute>()?.ElementType ?? field.FieldType;
            Assert.True(offset % SizeOf(element) == 0, $"{type.Name}.{field.Name} at {offset}");
        }
    }

    [Theory]
    [InlineData(typeof(RingHeader))]
    [InlineData(typeof(StreamRing))]
    public void What_two_threads_write_lies_128_bytes_apart(Type ring)
    {
        var fixedPart = 0;
        var head = (int)Marshal.OffsetOf(ring, "Head");
        var tail = (int)Marshal.OffsetOf(ring, "Tail");
        Assert.True(head - fixedPart >= 128 && tail - head >= 128 && SizeOf(ring) - tail >= 128,
            $"{ring.Name}: head at {head}, tail at {tail}, {SizeOf(ring)} bytes");
    }

    [Fact]
    public unsafe void The_header_begins_with_what_is_checked_before_anything_is_believed()
    {
        RegionHeader header = default;
        Assert.Equal(0, (byte*)&header.Magic - (byte*)&header);
        Assert.Equal(8, (byte*)&header.Layout - (byte*)&header);
        Assert.Equal(12, (byte*)&header.HeaderBytes - (byte*)&header);
        Assert.Equal(16, (byte*)&header.Bytes - (byte*)&header);
        Assert.Equal("SSPHOST1"u8.ToArray(), BitConverter.GetBytes(AbiVersion.Magic));
        Assert.True(sizeof(RegionHeader) <= 4096, "the header is one page");
    }

    [Fact]
    public unsafe void Futex_words_are_aligned_and_a_seqlocks_value_follows_its_count()
    {
        RegionHeader header = default;
        Assert.Equal(0, ((byte*)&header.RequestBell - (byte*)&header) % 4);
        Assert.Equal(0, ((byte*)&header.ReplyBell - (byte*)&header) % 4);
        Assert.Equal(sizeof(AudioStatus) + 8, sizeof(Seqlock<AudioStatus>));
        Assert.Equal(sizeof(StewardStatus) + 8, sizeof(Seqlock<StewardStatus>));
    }

    private static FieldInfo[] Fields(Type type) => type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);

    private static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;
}
