// From the rings to the quantum: events in order of time, parameter moves to their ramps, the rest to their modules.
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>[audio-thread, before the quantum]</summary>
internal static unsafe class EventDrain
{
    /// <summary>
    /// Events that may wait for their frame, and events taken from a ring in a quantum at most. Where more wait, the latest gives way: what is
    /// played by hand is due now, and must not stand behind what a sequencer sent ahead.
    /// </summary>
    public const int HeldCapacity = 256;

    /// <summary>Frames an event may lie ahead (22 s at 48 kHz): what is later is a mistake and must not occupy a place.</summary>
    public const ulong MaxAhead = 1 << 20;

    /// <param name="ring">What the control process sends.</param>
    /// <param name="midi">What the events thread sends; it need not exist.</param>
    public static void Run(RenderState* state, Plan* plan, SpscRing<ModuleEvent> ring, SpscRing<ModuleEvent> midi)
    {
        state->EventCount = 0;
        var end = state->Time + (ulong)state->Frames;
        if (midi.Exists) // first: it has a time to be kept
        {
            for (var taken = 0; taken < HeldCapacity && HasRoom(state, end) && midi.TryPop(out var e); taken++)
            {
                if (e.Frame < state->Time) state->LateEvents++;
                Hold(state, e);
            }
        }

        for (var taken = 0; taken < HeldCapacity && HasRoom(state, end) && ring.TryPop(out var e); taken++) Hold(state, e);
        if (state->HeldCount == 0) return;

        var due = 0;
        for (; due < state->HeldCount && due < Limits.MaxEventsPerQuantum && state->Held[due].Frame < end; due++)
        {
            var e = state->Held[due];
            e.Frame = e.Frame > state->Time ? e.Frame - state->Time : 0; // the counter may have leapt over it
            if (!Deliver(state, plan, e)) state->DroppedEvents++;
        }

        state->HeldCount -= due;
        if (due > 0) new Span<ModuleEvent>(state->Held + due, state->HeldCount).CopyTo(new Span<ModuleEvent>(state->Held, state->HeldCount));
    }

    // What is due now and does not fit into this quantum waits in the ring.
    private static bool HasRoom(RenderState* state, ulong end) => state->HeldCount < HeldCapacity || state->Held[HeldCapacity - 1].Frame >= end;

    // Inserts behind every event of the same or an earlier frame. Producers send in order, so the loop rarely turns.
    private static void Hold(RenderState* state, in ModuleEvent e)
    {
        if (e.Frame > state->Time + MaxAhead)
        {
            state->DroppedEvents++;
            return;
        }

        var frame = Math.Max(e.Frame, state->Time); // late ones and "as soon as possible" keep their order of arrival
        if (state->HeldCount == HeldCapacity)
        {
            state->DroppedEvents++;
            if (state->Held[HeldCapacity - 1].Frame <= frame) return;
            state->HeldCount--;
        }

        var i = state->HeldCount++;
        for (; i > 0 && state->Held[i - 1].Frame > frame; i--) state->Held[i] = state->Held[i - 1];
        state->Held[i] = e;
        state->Held[i].Frame = frame;
    }

    private static bool Deliver(RenderState* state, Plan* plan, in ModuleEvent e)
    {
        if (e.Kind == EventKind.None) return true;
        if (plan == null || !float.IsFinite(e.Value)) return false;
        if (e.Target == 0)
        {
            if (e.Kind == EventKind.Parameter) return false;
            state->BroadcastQuantum = state->Quantum;
        }
        else
        {
            var index = e.Slot < Limits.MaxInstances ? plan->NodeBySlot[e.Slot] : 0;
            if (index == 0) return false;
            var node = plan->Nodes + (index - 1);
            var instance = node->Instance;
            if (e.Target != (uint)instance->Key) return false;
            if (e.Kind == EventKind.Parameter)
            {
                if ((uint)e.Index >= (uint)instance->Type->Entry.Parameters) return false;
                var range = instance->Type->Parameters + e.Index;
                instance->Move(e.Index, (int)e.Frame / Limits.Grid, Math.Max(range->Min, Math.Min(e.Value, range->Max)), state->RampSteps);
                return true;
            }

            if (node->AcceptsEvents == 0) return false;
            instance->EventQuantum = state->Quantum;
        }

        state->Events[state->EventCount++] = e;
        return true;
    }
}
