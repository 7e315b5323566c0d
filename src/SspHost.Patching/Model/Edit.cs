// The edits: everything that can be done to a patch, one small record each.
namespace SspHost.Patching;

/// <summary>Something a player does to a patch. <see cref="PatchEdits.Apply"/> says what comes of it.</summary>
public abstract record Edit
{
    private protected Edit() { }
}

/// <summary>Places a module. Its id must be free (<see cref="Patch.FreeId"/>).</summary>
public sealed record AddModule(Module Module) : Edit;

/// <summary>Takes a module and every cable on it away.</summary>
public sealed record RemoveModule(string Module) : Edit;

/// <summary>Plugs a cable in. If it closes a loop it is delayed by one quantum.</summary>
public sealed record Connect(PortRef From, PortRef To, float Gain = 1f) : Edit;

/// <summary>Pulls a cable out.</summary>
public sealed record Disconnect(PortRef From, PortRef To) : Edit;

/// <summary>Sets a cable's linear gain, -100..100.</summary>
public sealed record SetCableGain(PortRef From, PortRef To, float Gain) : Edit;

/// <summary>Sets a parameter in its own unit.</summary>
public sealed record SetParameter(string Module, string Parameter, float Value) : Edit;

/// <summary>Sets a setting: the module is made anew.</summary>
public sealed record SetSetting(string Module, string Setting, int Value) : Edit;

/// <summary>Bypasses a module, or puts it back in.</summary>
public sealed record Bypass(string Module, bool On) : Edit;

/// <summary>Moves a module on the canvas.</summary>
public sealed record Move(string Module, int X, int Y) : Edit;

/// <summary>Changes what the player calls a module; empty: its id.</summary>
public sealed record Rename(string Module, string Label) : Edit;

/// <summary>Copies a module with all it is set to; with <paramref name="Inputs"/> also the cables that end at it.</summary>
public sealed record Duplicate(string Module, string NewId, bool Inputs = false) : Edit;

/// <summary>Puts a file (relative to the patch) into an asset slot; null empties it.</summary>
public sealed record SetAsset(string Module, string Slot, string? Path) : Edit;

/// <summary>Replaces a module's saved state, as written by <paramref name="Version"/> of its type; empty: none.</summary>
public sealed record SetState(string Module, uint Version, StateBlob State) : Edit;

/// <summary>Renames the patch.</summary>
public sealed record RenamePatch(string Name) : Edit;

/// <summary>Rewrites the notes.</summary>
public sealed record SetNotes(string Notes) : Edit;

/// <summary>Sets the frames of a quantum.</summary>
public sealed record SetQuantum(int Frames) : Edit;

/// <summary>Stores a scene under a number from 0; null: empties it.</summary>
public sealed record StoreScene(int Number, Scene? Scene) : Edit;

/// <summary>Puts a MIDI controller in charge of a parameter, or changes how far it reaches.</summary>
public sealed record MapController(ControllerMap Map) : Edit;

/// <summary>Takes it away; the one of the same identity.</summary>
public sealed record UnmapController(ControllerMap Map) : Edit;

/// <summary>Puts another patch in place of the whole.</summary>
public sealed record ReplacePatch(Patch Patch) : Edit;
