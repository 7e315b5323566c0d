// Everything a native module's table can have wrong, each with one sentence: nothing of it is used before it has passed.
using System.Text.Unicode;
using SspHost.Abi;

namespace SspHost.Engine.Loading;

/// <summary>
/// Reads tables that somebody else's compiler made. Pointers that lead nowhere end the process: a child probes each library first. Allocates
/// nothing. [steward, probe]
/// </summary>
internal unsafe ref struct NativeCheck(byte* words, int room)
{
    private const int MostId = 64, MostLine = 1000, MostHelp = 8000, MostChoices = 1000, MostTelemetry = 1 << 16, MostState = 1 << 20;

    private RefusalText _words = new(words, room);
    private int _module;
    private byte* _id;

    /// <summary>Whether a library's tables are sound, one by one and together; else the words say what is not.</summary>
    public bool Run(NativeModule** tables, int count)
    {
        _words.Clear();
        if (count == 0) return Say("ssp_module_get(0) returns NULL: there is no module in it"u8);
        for (var i = 0; i < count; i++)
        {
            _module = i;
            _id = null;
            if (!Table(tables[i])) return false;
            for (var earlier = 0; earlier < i; earlier++)
            {
                if (Same(tables[earlier]->Descriptor->Id, _id)) return Bad("has the id of another module of this library"u8);
            }
        }

        return true;
    }

    private bool Table(NativeModule* t)
    {
        if (t->AbiVersion != AbiVersion.Module) return Bad("was built for version "u8, t->AbiVersion, " of ssp_module.h, this engine speaks "u8, AbiVersion.Module);
        if (t->Bytes != sizeof(NativeModule)) return Bad("has a table of "u8, t->Bytes, " bytes, expected sizeof(ssp_native_module) = "u8, sizeof(NativeModule));
        if (t->Descriptor == null) return Bad("has no descriptor (NULL)"u8);
        if (!Descriptor(t->Descriptor)) return false;
        if (t->InstanceBytes == null) return Bad("has no function instance_bytes (NULL)"u8);
        if (t->Construct == null) return Bad("has no function construct (NULL)"u8);
        if (t->Reset == null) return Bad("has no function reset (NULL)"u8);
        if (t->Process == null) return Bad("has no function process (NULL)"u8);
        if ((t->SharedBytes == null) != (t->BuildShared == null)) return Bad("has one of shared_bytes and build_shared, expected both or none"u8);
        if ((t->SaveState == null) != (t->LoadState == null)) return Bad("has one of save_state and load_state, expected both or none"u8);
        if (t->Descriptor->StateBytes > 0 && t->SaveState == null) return Bad("has state_bytes of "u8, t->Descriptor->StateBytes, " and no save_state; with one, expected at most "u8, 0);
        return t->Descriptor->StateBytes > 0 || t->SaveState == null || Bad("has a save_state and no state_bytes to write into"u8);
    }

    private bool Descriptor(NativeDescriptor* d)
    {
        if (!Id(d->Id, "its id"u8)) return false;
        _id = d->Id;
        if (!Line(d->Name, "name"u8, needed: true) || !Line(d->Family, "family"u8, needed: true) || !Line(d->Text, "text"u8, needed: true)) return false;
        if (!Page(d->Help)) return false;
        if (d->Version == 0) return Bad("has version 0 of its state, expected 1 or more"u8);
        if ((d->Flags & ~(ModuleFlags.AcceptsEvents | ModuleFlags.HasTail | ModuleFlags.Essential)) != 0) return Bad("has flags that this version does not know: "u8, (long)d->Flags);
        if (d->StateBytes is < 0 or > MostState) return Bad("has state_bytes of "u8, d->StateBytes, ", expected 0 to "u8, MostState);
        return List(d->Inputs, d->InputCount, "inputs"u8, Limits.MaxPorts)
            && List(d->Outputs, d->OutputCount, "outputs"u8, Limits.MaxPorts)
            && List(d->Parameters, d->ParameterCount, "parameters"u8, Limits.MaxParameters)
            && List(d->Settings, d->SettingCount, "settings"u8, Limits.MaxParameters)
            && List(d->Assets, d->AssetCount, "asset slots"u8, Limits.MaxAssets)
            && List(d->Telemetry, d->TelemetryCount, "telemetry entries"u8, Limits.MaxParameters)
            && Ports(d->Inputs, d->InputCount, d, "input "u8) && Ports(d->Outputs, d->OutputCount, d, "output "u8)
            && Parameters(d) && Settings(d) && Assets(d) && Telemetry(d);
    }

    private bool Ports(NativePort* ports, int count, NativeDescriptor* d, ReadOnlySpan<byte> what)
    {
        for (var i = 0; i < count; i++)
        {
            var p = ports + i;
            if (!Named(p->Id, p->Name, p->Text, what)) return false;
            for (var e = 0; e < i; e++)
                if (Same(ports[e].Id, p->Id)) return BadPart(what, i, p->Id, "has the id of another one"u8);
            if (p->Kind > PortKind.Device) return BadPart(what, i, p->Id, "is of a kind that this version does not know: "u8, (int)p->Kind);
            switch (p->Rule)
            {
                case ChannelRule.Fixed when p->Channels is < 1 or > Limits.MaxChannels:
                    return BadPart(what, i, p->Id, "has a fixed number of channels that is not from 1 to 16: "u8, p->Channels);
                case ChannelRule.Setting when p->Channels >= d->SettingCount:
                    return BadPart(what, i, p->Id, "takes its channels from a setting that does not exist: number "u8, p->Channels);
                case ChannelRule.Setting when d->Settings[p->Channels].Min < 1 || d->Settings[p->Channels].Max > Limits.MaxChannels:
                    return BadPart(what, i, p->Id, "takes its channels from a setting that is not within 1 to 16: number "u8, p->Channels);
                case > ChannelRule.Setting:
                    return BadPart(what, i, p->Id, "has a channel rule that this version does not know: "u8, (int)p->Rule);
                default:
                    break;
            }
        }

        return true;
    }

    private bool Parameters(NativeDescriptor* d)
    {
        var what = "parameter "u8;
        for (var i = 0; i < d->ParameterCount; i++)
        {
            var p = d->Parameters + i;
            if (!Named(p->Id, p->Name, p->Text, what) || !Line(p->Unit, "unit of a parameter"u8, needed: false)) return false;
            for (var e = 0; e < i; e++)
                if (Same(d->Parameters[e].Id, p->Id)) return BadPart(what, i, p->Id, "has the id of another one"u8);
            if (p->Curve > ParameterCurve.Stepped) return BadPart(what, i, p->Id, "has a curve that this version does not know: "u8, (int)p->Curve);
            if (!float.IsFinite(p->Min) || !float.IsFinite(p->Max) || !(p->Min < p->Max)) return BadRange(what, i, p->Id, p->Min, p->Max, "a finite range, its minimum below its maximum"u8);
            if (!(p->Default >= p->Min && p->Default <= p->Max))
            {
                _ = BadRange(what, i, p->Id, p->Min, p->Max, "its default within it, not "u8);
                _words.Add(p->Default);
                return false;
            }

            if (p->Curve == ParameterCurve.Exponential && !(p->Min > 0)) return BadRange(what, i, p->Id, p->Min, p->Max, "a minimum above 0, because it is exponential"u8);
            if (p->Curve == ParameterCurve.Stepped && (MathF.Floor(p->Min) != p->Min || MathF.Floor(p->Max) != p->Max || MathF.Floor(p->Default) != p->Default))
                return BadRange(what, i, p->Id, p->Min, p->Max, "whole numbers and a whole default, because it is stepped"u8);
            if (!Choices(p->Choices, p->ChoiceCount, what, i, p->Id)) return false;
            if (p->ChoiceCount > 0 && (p->Curve != ParameterCurve.Stepped || p->Min != 0 || p->Max != p->ChoiceCount - 1))
                return BadRange(what, i, p->Id, p->Min, p->Max, "a stepped one from 0 to its number of choices less 1"u8);
        }

        return true;
    }

    private bool Settings(NativeDescriptor* d)
    {
        var what = "setting "u8;
        for (var i = 0; i < d->SettingCount; i++)
        {
            var s = d->Settings + i;
            if (!Named(s->Id, s->Name, s->Text, what)) return false;
            for (var e = 0; e < i; e++)
                if (Same(d->Settings[e].Id, s->Id)) return BadPart(what, i, s->Id, "has the id of another one"u8);
            if (s->Min > s->Max || s->Default < s->Min || s->Default > s->Max) return BadRange(what, i, s->Id, s->Min, s->Max, "its default within its range"u8);
            if (!Choices(s->Choices, s->ChoiceCount, what, i, s->Id)) return false;
            if (s->ChoiceCount > 0 && s->ChoiceCount - 1L != (long)s->Max - s->Min) return BadRange(what, i, s->Id, s->Min, s->Max, "a name for each of its values"u8);
        }

        return true;
    }

    private bool Assets(NativeDescriptor* d)
    {
        var what = "asset slot "u8;
        for (var i = 0; i < d->AssetCount; i++)
        {
            var a = d->Assets + i;
            if (!Named(a->Id, a->Name, a->Text, what)) return false;
            for (var e = 0; e < i; e++)
                if (Same(d->Assets[e].Id, a->Id)) return BadPart(what, i, a->Id, "has the id of another one"u8);
        }

        return true;
    }

    private bool Telemetry(NativeDescriptor* d)
    {
        var what = "telemetry entry "u8;
        long floats = 0;
        for (var i = 0; i < d->TelemetryCount; i++)
        {
            var t = d->Telemetry + i;
            if (!Id(t->Id, "the id of a telemetry entry"u8) || !Line(t->Unit, "unit of a telemetry entry"u8, needed: false) || !Line(t->Text, "text of a telemetry entry"u8, needed: false)) return false;
            for (var e = 0; e < i; e++)
                if (Same(d->Telemetry[e].Id, t->Id)) return BadPart(what, i, t->Id, "has the id of another one"u8);
            if (t->Kind > TelemetryKind.Recording) return BadPart(what, i, t->Id, "is of a kind that this version does not know: "u8, (int)t->Kind);
            if (t->Kind == TelemetryKind.Recording && i > 0) return BadPart(what, i, t->Id, "is a recording and not the first, so it would not be aligned: number "u8, i);
            if (t->Length is < 1 or > MostTelemetry) return BadPart(what, i, t->Id, "has a length that is not from 1 to 65536 floats: "u8, t->Length);
            floats += t->Length;
            if (floats > MostTelemetry) return BadPart(what, i, t->Id, "brings the module's telemetry to more than 65536 floats: "u8, floats);
        }

        return true;
    }

    private bool Named(byte* id, byte* name, byte* text, ReadOnlySpan<byte> what)
    {
        return Id(id, what) && Line(name, what, needed: true) && Line(text, what, needed: false);
    }

    private bool Choices(byte** choices, int count, ReadOnlySpan<byte> what, int index, byte* id)
    {
        if (count is < 0 or > MostChoices) return BadPart(what, index, id, "has a number of choices that is not from 0 to 1000: "u8, count);
        if (count > 0 && choices == null) return BadPart(what, index, id, "has choices and no names for them (NULL): "u8, count);
        for (var c = 0; c < count; c++)
            if (!Line(choices[c], "name of a choice"u8, needed: true)) return false;
        return true;
    }

    private bool List(void* items, int count, ReadOnlySpan<byte> what, int most)
    {
        if (count < 0 || count > most)
        {
            Where();
            _words.Add("has "u8);
            _words.Add(count);
            _words.Add(" "u8);
            _words.Add(what);
            _words.Add(", expected 0 to "u8);
            _words.Add(most);
            return false;
        }

        if (count == 0 || items != null) return true;
        Where();
        _words.Add("counts "u8);
        _words.Add(count);
        _words.Add(" "u8);
        _words.Add(what);
        _words.Add(" and has none (NULL)"u8);
        return false;
    }

    // 1 to 64 of a-z 0-9 . _ / -: what a patch file can name.
    private bool Id(byte* id, ReadOnlySpan<byte> what)
    {
        var length = Length(id, MostId);
        var legal = length is > 0 and <= MostId;
        for (var i = 0; legal && i < length; i++) legal = id[i] is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'0' and <= (byte)'9') or (byte)'.' or (byte)'_' or (byte)'/' or (byte)'-';
        if (legal) return true;
        Where();
        _words.Add(what);
        _words.Add(id == null ? ": the id is missing (NULL), expected 1 to 64 of a-z 0-9 . _ / -"u8 : ": the id is "u8);
        if (id == null) return false;
        _words.Quote(id);
        _words.Add(", expected 1 to 64 of a-z 0-9 . _ / -"u8);
        return false;
    }

    // One line of UTF-8.
    private bool Line(byte* text, ReadOnlySpan<byte> what, bool needed)
    {
        if (text == null) return !needed || BadText(what, "is missing (NULL)"u8);
        var length = Length(text, MostLine);
        if (length == 0 && needed) return BadText(what, "is empty"u8);
        if (length > MostLine) return BadText(what, "is longer than 1000 bytes, or not terminated by a zero"u8);
        for (var i = 0; i < length; i++)
            if (text[i] < 32 || text[i] == 127) return BadText(what, "has control characters, expected one line"u8);
        return Utf8.IsValid(new ReadOnlySpan<byte>(text, length)) || BadText(what, "is not UTF-8"u8);
    }

    private bool Page(byte* text)
    {
        var length = Length(text, MostHelp);
        if (length > MostHelp) return BadText("help"u8, "is longer than 8000 bytes, or not terminated by a zero"u8);
        return Utf8.IsValid(new ReadOnlySpan<byte>(text, length)) || BadText("help"u8, "is not UTF-8"u8);
    }

    private static int Length(byte* text, int most)
    {
        var length = 0;
        while (text != null && length <= most && text[length] != 0) length++;
        return length;
    }

    private static bool Same(byte* a, byte* b)
    {
        while (*a == *b && *a != 0)
        {
            a++;
            b++;
        }

        return *a == *b;
    }

    private void Where()
    {
        _words.Clear();
        _words.Add("module "u8);
        _words.Add(_module);
        if (_id != null)
        {
            _words.Add(" ("u8);
            _words.Quote(_id);
            _words.Add(")"u8);
        }

        _words.Add(": "u8);
    }

    private bool Say(ReadOnlySpan<byte> why)
    {
        _words.Add(why);
        return false;
    }

    private bool Bad(ReadOnlySpan<byte> why)
    {
        Where();
        return Say(why);
    }

    private bool Bad(ReadOnlySpan<byte> why, long value)
    {
        _ = Bad(why);
        _words.Add(value);
        return false;
    }

    private bool Bad(ReadOnlySpan<byte> why, long value, ReadOnlySpan<byte> expected, long limit)
    {
        _ = Bad(why, value);
        _words.Add(expected);
        _words.Add(limit);
        return false;
    }

    private bool BadText(ReadOnlySpan<byte> what, ReadOnlySpan<byte> why)
    {
        Where();
        _words.Add("the "u8);
        _words.Add(what.TrimEnd((byte)' '));
        _words.Add(": a text "u8);
        return Say(why);
    }

    private bool BadPart(ReadOnlySpan<byte> what, int index, byte* id, ReadOnlySpan<byte> why)
    {
        Where();
        _words.Add(what);
        _words.Add(index);
        _words.Add(" ("u8);
        _words.Quote(id);
        _words.Add(") "u8);
        return Say(why);
    }

    private bool BadPart(ReadOnlySpan<byte> what, int index, byte* id, ReadOnlySpan<byte> why, long value)
    {
        _ = BadPart(what, index, id, why);
        _words.Add(value);
        return false;
    }

    private bool BadRange(ReadOnlySpan<byte> what, int index, byte* id, float min, float max, ReadOnlySpan<byte> expected)
    {
        _ = BadPart(what, index, id, "goes from "u8);
        _words.Add(min);
        _words.Add(" to "u8);
        _words.Add(max);
        _words.Add(", expected "u8);
        return Say(expected);
    }
}
