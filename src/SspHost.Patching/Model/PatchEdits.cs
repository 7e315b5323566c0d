// Applies edits: Patch and Edit in, Patch or one error out.
namespace SspHost.Patching;

/// <summary>The pure function behind every change.</summary>
public static class PatchEdits
{
    /// <summary>
    /// The patch after <paramref name="edit"/>; throws nothing, changes nothing. With <paramref name="modules"/>, ports, parameters and
    /// ranges are checked against the module types; without, only the structure is (journal replay).
    /// </summary>
    public static Patch? Apply(Patch patch, Edit edit, DescriptorIndex? modules, out PatchError? error) => throw new NotSupportedException();
}
