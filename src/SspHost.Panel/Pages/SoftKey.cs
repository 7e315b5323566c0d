// What is written over a soft key.
namespace SspHost.Panel.Pages;

/// <summary>A soft key as a page has it. One without a label does nothing.</summary>
/// <param name="Label">What it does, one or two words.</param>
/// <param name="On">Whether what it switches is on.</param>
/// <param name="Off">Whether it does nothing at this moment, and why: said when it is pressed.</param>
/// <param name="Long">What it does when it is held down; it acts at its release then.</param>
public readonly record struct SoftKey(string Label, bool On = false, string? Off = null, string? Long = null)
{
    public bool IsEmpty => string.IsNullOrEmpty(Label);
}
