// A node whose thread does not come back: the rest of the plan moves out of the memory that thread may still write.
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>
/// A ghost was given the addresses of its outputs, and other nodes use the same buffers at other times. So the plan has spare areas of the
/// same size, and everything but the ghost's own node moves to one of them by adding a difference to pointers. Nothing is copied: between two
/// quanta no buffer holds anything.
/// <para>
/// In the quantum under way only what no thread has begun may be moved: what lies downstream of the abandoned node, which waits for it.
/// That is also all that could meet what the ghost writes, because a buffer is only reused by nodes downstream of its writer. The rest follows
/// when the quantum has ended.
/// </para>
/// </summary>
internal static unsafe class Takeover
{
    /// <summary>Buffer areas of a plan: one that is in use, one that is moved to, and one for each ghost that may be alive.</summary>
    public const int Areas = Limits.BufferAreas;

    /// <summary>
    /// Marks an instance as held by a thread that is stuck or has faulted. <paramref name="node"/>: its node in the plan, whose successors
    /// then hear silence; -1 if the thread is not in the graph. [watchdog, before the standby starts]
    /// </summary>
    public static void Abandon(RenderState* state, Ghost* ghost, int node, ShedReason reason, long cost)
    {
        var instance = ghost->Instance;
        instance->Shed = (int)reason;
        instance->ShedCost = cost;
        instance->Untold = 1;
        if (reason == ShedReason.Stuck) instance->LastNs = (ulong)cost; // whose fault this quantum's dropout is
        instance->Failed = 0;
        instance->Asleep = 0;
        instance->Wet = GainRamp.Resting(0); // at once: there is nothing to fade
        instance->Fading = 1;
        Volatile.Write(ref instance->Ghost, 1);
        Volatile.Write(ref *(int*)&instance->Record->Shed, (int)reason);
        Interlocked.Increment(ref state->Failed);
        if (ghost->Plan != null) _ = Interlocked.Increment(ref ghost->Plan->Ghosts);
        Volatile.Write(ref ghost->State, Ghost.Inside);
        if (node >= 0) Divert(state, ghost, node);
    }

    // Distance of a sample from the beginning of its area: the same in every area.
    private static long Place(Plan* plan, float* at) => (at - plan->Buffers) % plan->BufferFloats;

    private static int AreaOf(Plan* plan, float* at) => (int)((at - plan->Buffers) / plan->BufferFloats);

    private static float* In(Plan* plan, int area, float* at) => plan->Buffers + (area * plan->BufferFloats) + Place(plan, at);

    private static void Shift(Plan* plan, float** pointer, int to)
    {
        if ((ulong)(*pointer - plan->Buffers) < (ulong)(Areas * plan->BufferFloats)) *pointer = In(plan, to, *pointer);
    }

    // An area that no ghost knows and nobody uses. There is one: each ghost has cost a standby.
    private static int FreeArea(RenderState* state, Plan* plan)
    {
        var used = 1u << plan->Area;
        for (var g = 0; g < Ghost.Most; g++)
        {
            var ghost = state->Ghosts + g;
            if (Volatile.Read(ref ghost->State) == Ghost.Inside && ghost->Plan == plan) used |= 1u << ghost->Area;
        }

        return System.Numerics.BitOperations.TrailingZeroCount(~used);
    }

    // Moves everything downstream of a node, and gives it silence to hear from the node itself.
    private static void Divert(RenderState* state, Ghost* ghost, int abandoned)
    {
        var plan = ghost->Plan;
        var stuck = plan->Nodes + abandoned;
        ghost->Area = stuck->OutputCount > 0 ? AreaOf(plan, stuck->Context.Outputs->Data) : plan->Area;
        if (plan->MovingTo < 0 || ghost->Area == plan->MovingTo) plan->MovingTo = FreeArea(state, plan);
        var to = plan->MovingTo;

        // Topological order: a mark reaches every successor's successor in one pass.
        for (var n = 0; n < plan->NodeCount; n++) plan->Nodes[n].Downstream = n == abandoned ? 1 : 0;
        for (var n = abandoned; n < plan->NodeCount; n++)
        {
            var node = plan->Nodes + n;
            if (node->Downstream == 0) continue;
            for (var k = 0; k < node->SuccessorCount; k++) plan->Nodes[node->Successors[k]].Downstream = 1;
            if (n == abandoned || node->Adrift != 0) node->Adrift = 1 + to;
            for (var o = 0; node->Adrift == 0 && o < node->OutputCount; o++) Shift(plan, &node->Context.Outputs[o].Data, to);
        }

        Silence(plan, stuck);
        for (var n = abandoned + 1; n < plan->NodeCount; n++)
        {
            if (plan->Nodes[n].Downstream != 0) Reconnect(plan, plan->Nodes + n, to);
        }
    }

    private static void Silence(Plan* plan, Node* node)
    {
        for (var o = 0; o < node->OutputCount; o++)
        {
            var output = node->Context.Outputs + o;
            Lanes.Zero(In(plan, node->Adrift - 1, output->Data), output->Channels * output->Stride);
            output->Flags |= SignalFlags.Silent;
        }
    }

    // What a node reads lies where its source has its output now; what it sums into moves with it.
    private static void Reconnect(Plan* plan, Node* node, int to)
    {
        for (var d = 0; d < node->DirectCount; d++) SignalOf(node->Directs[d].Input)->Data = Present(plan, SignalOf(node->Directs[d].Source));
        for (var m = 0; m < node->MixCount; m++)
        {
            var mix = node->Mixes + m;
            Shift(plan, &mix->Input->Data, to);
            for (var k = 0; k < mix->Count; k++)
            {
                if (mix->Cables[k].SourceFlags != null) mix->Cables[k].Source = Present(plan, SignalOf(mix->Cables[k].SourceFlags));
            }
        }

        for (var m = 0; m < node->ModulationCount; m++)
        {
            var modulation = node->Modulations + m;
            for (var k = 0; k < modulation->Count; k++)
            {
                if (modulation->Cables[k].SourceFlags != null) modulation->Cables[k].Source = Present(plan, SignalOf(modulation->Cables[k].SourceFlags));
            }
        }
    }

    private static Signal* SignalOf(SignalFlags* flags)
    {
        Signal any;
        return (Signal*)((byte*)flags - ((byte*)&any.Flags - (byte*)&any));
    }

    private static float* Present(Plan* plan, Signal* output)
    {
        var owner = plan->Nodes + plan->Owners[output - plan->Outputs];
        return owner->Adrift != 0 ? In(plan, owner->Adrift - 1, output->Data) : output->Data;
    }

    /// <summary>After the last node of a quantum in which something was diverted: what is read from here on lies where it was written. [audio-thread]</summary>
    public static void FindSources(Plan* plan)
    {
        for (var f = 0; f < plan->FeedbackCount; f++) plan->Feedback[f].Source = Written(plan, plan->Feedback[f].Source);
        for (var j = 0; j < plan->JackCount; j++) plan->Jacks[j].Source = Written(plan, plan->Jacks[j].Source);
    }

    // The last in topological order whose output lies there wrote it: a buffer read after the quantum is not reused.
    private static float* Written(Plan* plan, float* source)
    {
        var place = Place(plan, source);
        for (var n = plan->NodeCount - 1; n >= 0; n--)
        {
            var node = plan->Nodes + n;
            for (var o = 0; o < node->OutputCount; o++)
            {
                var output = node->Context.Outputs + o;
                var within = place - Place(plan, output->Data);
                if (within >= 0 && within < output->Channels * output->Stride) return Present(plan, output) + within;
            }
        }

        return source;
    }

    /// <summary>Moves what was left behind: the quantum is over. [audio-thread]</summary>
    public static void Settle(Plan* plan)
    {
        var to = plan->MovingTo;
        for (var n = 0; n < plan->NodeCount; n++)
        {
            var node = plan->Nodes + n;
            if (node->Adrift != 0) node->Adrift = 1 + to;
            for (var o = 0; node->Adrift == 0 && o < node->OutputCount; o++) Shift(plan, &node->Context.Outputs[o].Data, to);
        }

        for (var n = 0; n < plan->NodeCount; n++) Reconnect(plan, plan->Nodes + n, to);
        for (var f = 0; f < plan->FeedbackCount; f++) Shift(plan, &plan->Feedback[f].Source, to);
        for (var j = 0; j < plan->JackCount; j++) Shift(plan, &plan->Jacks[j].Source, to);
        plan->Area = to;
        plan->MovingTo = -1;
    }

    /// <summary>
    /// A node whose outputs are a ghost's. While the ghost is inside: silence where the others look for it, true. Afterwards it gets its
    /// outputs back: false. [whoever runs the node]
    /// </summary>
    public static bool IsHaunted(Plan* plan, Node* node, bool haunted)
    {
        if (haunted)
        {
            Silence(plan, node);
            return true;
        }

        for (var o = 0; o < node->OutputCount; o++) node->Context.Outputs[o].Data = In(plan, node->Adrift - 1, node->Context.Outputs[o].Data);
        node->Adrift = 0;
        return false;
    }
}
