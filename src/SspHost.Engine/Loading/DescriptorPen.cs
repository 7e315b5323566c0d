// A native descriptor as bytes of the descriptor blob, without an allocation: what DescriptorBlob writes of a managed one.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Engine.Loading;

/// <summary>Writes records of <see cref="DescriptorBlob"/>. Made without a place it only counts the bytes. [steward, probe]</summary>
internal unsafe struct DescriptorPen(byte* at)
{
    /// <summary>Bytes written, or counted.</summary>
    public long Bytes { get; private set; }

    /// <summary>The record of a checked module. <paramref name="file"/>: zero-terminated.</summary>
    public void Module(NativeDescriptor* d, byte* file)
    {
        Text(d->Id);
        Number((int)d->Version);
        Text(d->Name);
        Text(d->Family);
        Text(d->Text);
        Text(d->Help);
        Text(file);
        Ports(d->Inputs, d->InputCount);
        Ports(d->Outputs, d->OutputCount);
        Number(d->ParameterCount);
        for (var i = 0; i < d->ParameterCount; i++)
        {
            var p = d->Parameters + i;
            Text(p->Id);
            Text(p->Name);
            Text(p->Unit);
            Number(p->Min);
            Number(p->Max);
            Number(p->Default);
            Number((int)p->Curve);
            Text(p->Text);
            Texts(p->Choices, p->ChoiceCount);
        }

        Number(d->SettingCount);
        for (var i = 0; i < d->SettingCount; i++)
        {
            var s = d->Settings + i;
            Text(s->Id);
            Text(s->Name);
            Number(s->Min);
            Number(s->Max);
            Number(s->Default);
            Text(s->Text);
            Texts(s->Choices, s->ChoiceCount);
        }

        Number(d->AssetCount);
        for (var i = 0; i < d->AssetCount; i++)
        {
            Text(d->Assets[i].Id);
            Text(d->Assets[i].Name);
            Text(d->Assets[i].Text);
        }

        Number(d->TelemetryCount);
        for (var i = 0; i < d->TelemetryCount; i++)
        {
            var t = d->Telemetry + i;
            Text(t->Id);
            Number((int)t->Kind);
            Number(t->Length);
            Text(t->Unit);
            Text(t->Text);
        }

        Number(d->StateBytes);
        var flags = d->Flags;
        Number(((flags & ModuleFlags.AcceptsEvents) != 0 ? 1 : 0) | ((flags & ModuleFlags.HasTail) != 0 ? 2 : 0) | ((flags & ModuleFlags.Essential) == 0 ? 4 : 0));
    }

    /// <summary>A whole number.</summary>
    public void Number(int value)
    {
        if (at != null) Unsafe.WriteUnaligned(at + Bytes, value); // little-endian, as every machine this is for
        Bytes += sizeof(int);
    }

    /// <summary>Bytes as they are.</summary>
    public void Copy(byte* from, long bytes)
    {
        if (at != null) Buffer.MemoryCopy(from, at + Bytes, bytes, bytes);
        Bytes += bytes;
    }

    private void Number(float value) => Number(BitConverter.SingleToInt32Bits(value));

    private void Text(byte* text)
    {
        var length = 0;
        while (text != null && text[length] != 0) length++;
        Number(length);
        Copy(text, length);
    }

    private void Texts(byte** texts, int count)
    {
        Number(count);
        for (var i = 0; i < count; i++) Text(texts[i]);
    }

    private void Ports(NativePort* ports, int count)
    {
        Number(count);
        for (var i = 0; i < count; i++)
        {
            var p = ports + i;
            Text(p->Id);
            Text(p->Name);
            Text(p->Text);
            Number((int)p->Rule);
            Number(p->Channels);
            Number((int)p->Kind);
        }
    }
}
