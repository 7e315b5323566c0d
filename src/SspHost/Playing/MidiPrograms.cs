// What a program change means: which scene, or which patch.
using SspHost.Abi;

namespace SspHost.Playing;

/// <summary>What program changes do in bank 0; bank 1 (controller 0 = 1) does the other.</summary>
internal enum ProgramUse
{
    Off,
    Scenes,
    Patches,
}

/// <summary>A scene from 0, or a patch from 0 in the order of their names.</summary>
internal readonly record struct ProgramChoice(ProgramUse Use, int Number);

/// <summary>
/// Remembers bank selects by port and channel. Scenes: programs 0 to 7. Patches: the program, and 128 more for each step of controller 32.
/// </summary>
/// <param name="use">What bank 0 is.</param>
/// <param name="channel">MIDI channel 1..16 that is listened to; 0: any.</param>
internal sealed class MidiPrograms(ProgramUse use, int channel)
{
    private const int BankUpper = 0, BankLower = 32, Programs = 128;

    private readonly Dictionary<(ulong Port, int Channel), (int Upper, int Lower)> _banks = [];

    /// <summary>The use of a name, or null.</summary>
    public static ProgramUse? Parse(string name) => name switch { "scenes" => ProgramUse.Scenes, "patches" => ProgramUse.Patches, "off" => ProgramUse.Off, _ => null };

    /// <summary>What is wrong with a name, or null.</summary>
    public static string? Check(string name) => Parse(name) is null ? "scenes, patches or off" : null;

    /// <summary>Takes a controller or a program change; null where nothing is to be done.</summary>
    public ProgramChoice? Hear(in Heard h)
    {
        if (use == ProgramUse.Off || (channel != 0 && h.Channel + 1 != channel)) return null;
        var key = (h.Port, (int)h.Channel);
        var bank = _banks.GetValueOrDefault(key);
        switch (h.Kind)
        {
            case HeardKind.Controller when h.Number == BankUpper:
                _banks[key] = ((int)h.Value, 0); // a lower half may follow; that of the bank before is none of this one's
                return null;
            case HeardKind.Controller when h.Number == BankLower:
                _banks[key] = (bank.Upper, (int)h.Value);
                return null;
            case HeardKind.Program when bank.Upper is 0 or 1:
                var wanted = bank.Upper == 0 ? use : use == ProgramUse.Scenes ? ProgramUse.Patches : ProgramUse.Scenes;
                return new ProgramChoice(wanted, wanted == ProgramUse.Scenes ? h.Number : (bank.Lower * Programs) + h.Number);
            default:
                return null;
        }
    }
}
