// What was set on the jacks since the panel began, to be taken back and done again: it is no part of the patch, whose history is the session's.
namespace SspHost.Panel.Pages;

/// <summary>Sets jacks by a desk, and remembers how they were. Turns of one knob on one jack until it rests are one step.</summary>
internal sealed class JackHistory(Func<IJackDesk?> desk, Func<ulong> now)
{
    private const ulong Rest = 1_000_000_000; // ns without a turn after which a knob's next one is another step
    private const int Most = 1000;

    private readonly List<Step> _steps = [];
    private int _done; // steps that stand; those behind were taken back
    private int _knob = -1;
    private ulong _turned;

    private readonly record struct Step(bool Output, int Number, JackSetup Before, JackSetup After);

    public bool CanUndo => _done > 0;

    public bool CanRedo => _done < _steps.Count;

    /// <summary>Sets a jack up; null, or why it is as it was. <paramref name="knob"/>: the encoder that was turned; -1: none.</summary>
    public string? Set(bool output, int number, JackSetup setup, int knob = -1)
    {
        if (desk() is not { } d) return "nothing can be set up here";
        var before = d.Setup(output, number);
        if (d.Set(output, number, setup) is { } why) return why;
        var after = d.Setup(output, number); // as the desk has it: it may be a single-precision line
        _steps.RemoveRange(_done, _steps.Count - _done);
        if (knob >= 0 && knob == _knob && now() < _turned + Rest && _done > 0 && _steps[^1] is var last && last.Output == output && last.Number == number)
        {
            _steps[^1] = last with { After = after };
        }
        else if (after != before)
        {
            _steps.Add(new Step(output, number, before, after));
            if (_steps.Count > Most) _steps.RemoveAt(0);
        }

        _done = _steps.Count;
        (_knob, _turned) = (knob, now());
        return null;
    }

    /// <summary>Takes the last step back; what to say of it, and whether it is bad.</summary>
    public (string Said, bool Bad) Undo()
    {
        if (!CanUndo) return ("no jack was changed here: the patch's changes are taken back on the other pages", true);
        var step = _steps[_done - 1];
        if (desk()?.Set(step.Output, step.Number, step.Before) is { } why) return (why, true);
        _done--;
        _knob = -1;
        return ($"{JacksPage.Word(step.Output, step.Number)} is as it was", false);
    }

    /// <summary>Does it again.</summary>
    public (string Said, bool Bad) Redo()
    {
        if (!CanRedo) return ("there is nothing to be done again", true);
        var step = _steps[_done];
        if (desk()?.Set(step.Output, step.Number, step.After) is { } why) return (why, true);
        _done++;
        _knob = -1;
        return ($"{JacksPage.Word(step.Output, step.Number)} is set again", false);
    }
}
