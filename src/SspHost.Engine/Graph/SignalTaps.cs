// Taps: who is watched is looked up before the quantum, whoever runs that node copies, and after the quantum it counts as written.
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>
/// A buffer may belong to another signal by the end of the quantum, so an output is copied as soon as its node has run. The place in the ring is
/// zero before: who is not found, sleeps, failed or did not come back is silent.
/// </summary>
internal static unsafe class SignalTaps
{
    /// <summary>[steward, stopped] The next quantum begins where no quantum runs over the ring's end.</summary>
    public static void Align(RenderState* state)
    {
        for (var t = 0; t < SignalTap.Count; t++)
        {
            var tap = state->Taps + t;
            tap->Position = (tap->Position + Limits.MaxQuantum - 1) / Limits.MaxQuantum * Limits.MaxQuantum;
            Volatile.Write(ref tap->Since, tap->Position);
        }
    }

    /// <summary>[audio-thread, before the quantum] Marks the nodes that are watched.</summary>
    public static void Begin(RenderState* state, Plan* plan)
    {
        for (var t = 0; t < SignalTap.Count; t++)
        {
            // Marks of a plan that has gone mean nothing, and all are set anew.
            var marked = state->TapNodes[t];
            if (marked != 0 && plan != null && marked <= plan->NodeCount) plan->Nodes[marked - 1].Taps = 0;
            state->TapNodes[t] = 0;
        }

        for (var t = 0; t < SignalTap.Count; t++)
        {
            var tap = state->Taps + t;
            var aim = Volatile.Read(ref tap->Aim);
            if (aim != tap->Watched)
            {
                Volatile.Write(ref tap->Since, tap->Position);
                Volatile.Write(ref tap->Watched, aim);
            }

            if (aim == 0) continue;
            Lanes.Zero(Place(tap), state->Frames);
            var (slot, key, port) = SignalTap.Parts(aim);
            var index = plan != null && slot < Limits.MaxInstances ? plan->NodeBySlot[slot] : 0;
            if (index == 0) continue;
            var node = plan->Nodes + (index - 1);
            if ((uint)node->Instance->Key != key || port >= node->OutputCount) continue;
            node->Taps |= 1 << t;
            state->TapNodes[t] = index;
        }
    }

    /// <summary>[whoever ran the node]</summary>
    public static void Copy(RenderState* state, Node* node)
    {
        if (node->Adrift != 0) return; // its outputs are a stuck thread's
        for (var taps = node->Taps; taps != 0; taps &= taps - 1)
        {
            var tap = state->Taps + System.Numerics.BitOperations.TrailingZeroCount(taps);
            var output = node->Context.Outputs + SignalTap.Parts(tap->Watched).Port;
            if (!output->Silent) Lanes.Copy(Place(tap), output->Data, state->Frames);
        }
    }

    /// <summary>[audio-thread, after the quantum]</summary>
    public static void End(RenderState* state)
    {
        for (var t = 0; t < SignalTap.Count; t++)
        {
            var tap = state->Taps + t;
            if (tap->Watched != 0) Volatile.Write(ref tap->Position, tap->Position + (ulong)state->Frames);
        }
    }

    private static float* Place(SignalTap* tap) => tap->Ring + (tap->Position % SignalTap.Capacity);
}
