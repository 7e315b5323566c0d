// Descriptors as bytes: what is written is read; what is damaged is one clear error and nothing else.
using FsCheck;
using FsCheck.Fluent;

namespace SspHost.Abi.Tests;

public sealed class DescriptorBlobTests
{
    [Fact]
    public void What_is_written_is_read_again()
    {
        var modules = Sample();
        var read = DescriptorBlob.Read(DescriptorBlob.Write(modules));
        Assert.Equal(DescriptorBlob.Write(modules), DescriptorBlob.Write(read));
        Assert.Equal(2, read.Count);
        var (m, r) = (modules[0], read[0]);
        Assert.Equal((m.Id, m.Version, m.Name, m.Family, m.Text, m.Help), (r.Id, r.Version, r.Name, r.Family, r.Text, r.Help));
        Assert.Equal(m.Inputs, r.Inputs);
        Assert.Equal(m.Outputs, r.Outputs);
        Assert.Equal(m.Settings.Select(static s => s with { Choices = NoChoices }), r.Settings.Select(static s => s with { Choices = NoChoices }));
        Assert.Equal(m.Settings.Select(static s => s.Choices), r.Settings.Select(static s => s.Choices));
        Assert.Equal(m.Assets, r.Assets);
        Assert.Equal(m.Telemetry, r.Telemetry);
        Assert.Equal(m.TelemetryFloats, r.TelemetryFloats);
        Assert.Equal((m.StateBytes, m.AcceptsEvents, m.HasTail, m.Sheddable), (r.StateBytes, r.AcceptsEvents, r.HasTail, r.Sheddable));
        Assert.Equal(m.Parameters.Count, r.Parameters.Count);
        for (var i = 0; i < m.Parameters.Count; i++)
        {
            Assert.Equal(m.Parameters[i] with { Choices = [] },
                r.Parameters[i] with { Choices = m.Parameters[i].Choices.Length == 0 ? r.Parameters[i].Choices : [] }, ParameterFields);
            Assert.Equal(m.Parameters[i].Choices, r.Parameters[i].Choices);
        }

        Assert.False(read[1].Sheddable);
        Assert.Empty(DescriptorBlob.Read(DescriptorBlob.Write([])));
    }

    [Fact]
    public void Any_texts_and_numbers_survive() =>
        Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<int>(), ArbMap.Default.ArbFor<float>(),
            (text, number, value) =>
        {
            // Text that is not well-formed UTF-16 (a lone surrogate) cannot be UTF-8; it is not a name anybody can type.
            var name = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Get));
            var m = new ModuleDescriptor
            {
                Id = name,
                Name = name,
                Family = "",
                Text = name,
                Version = (uint)number,
                StateBytes = number,
                Parameters = [new ParameterDescriptor(name, "", name, value, -value, number)],
                Settings = [new SettingDescriptor("", name, number, ~number, 0)],
            };
            var r = DescriptorBlob.Read(DescriptorBlob.Write([m]))[0];
            return r.Id == name && r.Version == (uint)number && r.StateBytes == number && r.Settings[0] with { Choices = NoChoices } == m.Settings[0] with { Choices = NoChoices } &&
                BitConverter.SingleToInt32Bits(r.Parameters[0].Min) == BitConverter.SingleToInt32Bits(value);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_truncated_prefix_is_one_clear_error()
    {
        var blob = DescriptorBlob.Write(Sample());
        for (var length = 0; length < blob.Length; length++)
        {
            var error = Assert.Throws<InvalidDataException>(() => DescriptorBlob.Read(blob.AsSpan(0, length)));
            Assert.StartsWith($"descriptor blob of {length} bytes, byte ", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<InvalidDataException>(() => DescriptorBlob.Read([.. blob, 0]));
    }

    [Fact]
    public void Every_damaged_byte_is_read_as_something_else_or_refused_but_never_more_than_that()
    {
        var blob = DescriptorBlob.Write(Sample());
        byte[] damages = [0x01, 0x80, 0xFF, 0x7F];
        var refused = 0;
        for (var at = 0; at < blob.Length; at++)
        {
            foreach (var damage in damages)
            {
                var bad = (byte[])blob.Clone();
                bad[at] ^= damage;
                try
                {
                    _ = DescriptorBlob.Read(bad);
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
            }
        }

        Assert.True(refused > blob.Length / 4, "damage is hardly ever noticed");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Noise_and_spliced_blobs_are_refused_without_any_other_exception(int seed)
    {
        var blob = DescriptorBlob.Write(Sample());
        var random = new Random(seed);
        for (var i = 0; i < 6_000; i++)
        {
            byte[] bad;
            if (i % 2 == 0)
            {
                bad = new byte[random.Next(200)];
                random.NextBytes(bad);
                if (bad.Length >= 4) BitConverter.TryWriteBytes(bad, AbiVersion.Descriptors); // past the first check
            }
            else
            {
                bad = (byte[])blob.Clone();
                var (from, to) = (random.Next(blob.Length), random.Next(blob.Length));
                Array.Copy(blob, from, bad, to, random.Next(1 + blob.Length - Math.Max(from, to)));
            }

            try
            {
                _ = DescriptorBlob.Read(bad);
            }
            catch (InvalidDataException)
            {
            }
        }
    }

    [Fact]
    public void Another_format_version_is_named()
    {
        var blob = DescriptorBlob.Write([]);
        blob[0]++;
        var error = Assert.Throws<InvalidDataException>(() => DescriptorBlob.Read(blob));
        Assert.Contains($"format version {AbiVersion.Descriptors + 1}, expected {AbiVersion.Descriptors}", error.Message,
            StringComparison.Ordinal);
    }

    // Records compare arrays by identity: one for all leaves them out.
    private static readonly string[] NoChoices = [];

    private static bool ParameterFields(ParameterDescriptor a, ParameterDescriptor b) =>
        (a.Id, a.Name, a.Unit, a.Min, a.Max, a.Default, a.Curve, a.Text) == (b.Id, b.Name, b.Unit, b.Min, b.Max, b.Default, b.Curve,
            b.Text);

    private static ModuleDescriptor[] Sample() =>
    [
        new()
        {
            Id = "filter",
            Version = 3,
            Name = "Filter",
            Family = "Filters",
            Text = "Four poles – über alles",
            Help = "What it is.\n\n- patch this",
            Inputs = [new PortDescriptor("in", "In", "Audio"), new PortDescriptor("cv", "CV", "", ChannelRule.Fixed, 16)],
            Outputs = [new PortDescriptor("out", "Out", "", ChannelRule.Setting, 1),
                new PortDescriptor("jack", "Jack", "", ChannelRule.Fixed, 1, PortKind.Device)],
            Parameters =
            [
                new ParameterDescriptor("cutoff", "Cutoff", "Hz", 20, 20_000, 440, ParameterCurve.Exponential, "Where it bends"),
                new ParameterDescriptor("mode", "Mode", "", 0, 2, 1, ParameterCurve.Stepped, "", "low", "band", "high"),
            ],
            Settings = [new SettingDescriptor("voices", "Voices", 1, 16, 1, "How many"),
                new SettingDescriptor("quality", "Quality", 0, 1, 0, "How clean", "standard", "high")],
            Assets = [new AssetDescriptor("table", "Table", "A wavetable")],
            Telemetry = [new TelemetryDescriptor("level", TelemetryKind.Meter, 1),
                new TelemetryDescriptor("scope", TelemetryKind.Scope, 257, "V", "What it hears")],
            StateBytes = 128,
            AcceptsEvents = true,
            HasTail = true,
        },
        new() { Id = "out", Name = "", Family = "", Text = "", Sheddable = false },
    ];
}
