// Frame by frame with events between: each is taken in its frame, before that frame is played.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>A module that decides anew in each frame.</summary>
public interface IEventFrames
{
    /// <summary>Takes an event that is due. [process]</summary>
    void Take(in ModuleEvent e, in ProcessContext context);

    /// <summary>Plays frame <paramref name="frame"/> of the quantum, which lies in <paramref name="segment"/>. [process]</summary>
    void Frame(in ProcessContext context, int segment, int frame);
}

/// <summary>Plays such a module.</summary>
public static class EventFrames
{
    /// <summary>A whole quantum. [process]</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Play<T>(ref T self, in ProcessContext context) where T : unmanaged, IEventFrames
    {
        var cursor = 0;
        var next = context.NextEvent(ref cursor);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var end = (segment + 1) * Limits.Grid;
            for (var frame = segment * Limits.Grid; frame < end; frame++)
            {
                for (; next != null && (int)next->Frame <= frame; next = context.NextEvent(ref cursor)) self.Take(in *next, in context);
                self.Frame(in context, segment, frame);
            }
        }
    }
}
