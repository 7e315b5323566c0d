// What the player has chosen, for all pages: the module in hand.
namespace SspHost.Panel;

/// <summary>Selections that pages share.</summary>
public sealed class Selection
{
    /// <summary>Id of the module in hand; null: none. It may have left the patch: whoever uses it looks.</summary>
    public string? Module { get; set; }
}
