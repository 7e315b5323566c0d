// One node, one quantum: inputs, parameters, sleep, process, and proof that what came out may be heard.
using System.Numerics;
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>[audio-thread or worker; one thread at a time per node]</summary>
internal static unsafe class NodeRunner
{
    /// <summary>Failures within a second after which a module is switched off.</summary>
    public const int FailuresToShed = 3;

    public static void Run(RenderState* state, Node* node, ThreadRecord* thread)
    {
        var instance = node->Instance;
        var silent = true;
        for (var i = 0; i < node->DirectCount; i++)
        {
            var flags = SignalFlags.Connected | (*node->Directs[i].Source & SignalFlags.Silent);
            *node->Directs[i].Input = flags;
            silent &= (flags & SignalFlags.Silent) != 0;
        }

        for (var i = 0; i < node->MixCount; i++) Mix(node->Mixes + i, state->Frames);

        var context = &node->Context;
        context->Time = state->Time;
        context->Moving = instance->Ramping == 0 ? 0 : MoveParameters(instance, context->Frames / Limits.Grid);
        context->EventCount = 0;
        if (node->AcceptsEvents != 0 && (instance->EventQuantum == state->Quantum || state->BroadcastQuantum == state->Quantum))
            context->EventCount = state->EventCount;

        if (((int)node->Flags | instance->Shed | instance->Asleep) != 0 && Skipped(node, instance, silent)) return;

        thread->Current = context->Slot + 1; // should it take the engine down, this names it
        var result = node->Process(node->Self, context);
        thread->Current = 0;

        var outputs = context->Outputs;
        var every = 0;
        for (var o = 0; o < node->OutputCount; o++)
        {
            var magnitude = Lanes.Magnitude(outputs[o].Data, outputs[o].Channels * outputs[o].Stride);
            if (magnitude > Lanes.MaxMagnitude)
            {
                Fail(state, node, o);
                return;
            }

            every |= magnitude;
            outputs[o].Flags = (outputs[o].Flags & SignalFlags.Connected) | (magnitude == 0 ? SignalFlags.Silent : SignalFlags.None);
        }

        if (result == ProcessResult.Continue) return;
        if (result == ProcessResult.Error) Fail(state, node, node->OutputCount);
        else if (every == 0) instance->Asleep = 1; // an answer of Sleep after sounding outputs is not believed
    }

    // Bypassed, shed or sleeping: true if the outputs are settled without calling process.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Skipped(Node* node, Instance* instance, bool silent)
    {
        if ((node->Flags & NodeFlags.Bypassed) != 0)
        {
            instance->Shed = 0; // bypassed and back is how a player tries a shed module again
            instance->Failures = 0;
            instance->Asleep = 0; // its inputs may have sounded while it was not asked
            Bypass(node);
            return true;
        }

        if (instance->Shed == 0)
        {
            for (var i = 0; silent && i < node->InputCount; i++) silent = node->Context.Inputs[i].Silent;
            // A reply of finished work is an event too: nobody else would fetch it.
            if (!silent || node->Context.Moving != 0 || node->Context.EventCount != 0 || Volatile.Read(ref instance->Job->State) != (int)WorkState.Idle)
            {
                instance->Asleep = 0;
                return false;
            }

            instance->Record->Slept++;
        }

        Silence(node);
        return true;
    }

    private static void Silence(Node* node)
    {
        for (var o = 0; o < node->OutputCount; o++)
        {
            var output = node->Context.Outputs + o;
            Lanes.Zero(output->Data, output->Channels * output->Stride);
            output->Flags |= SignalFlags.Silent;
        }
    }

    private static void Bypass(Node* node)
    {
        var context = &node->Context;
        for (var o = 0; o < node->OutputCount; o++)
        {
            var to = context->Outputs + o;
            if ((node->Instance->Type->Through >> o & 1) == 0 || context->Inputs[o].Silent)
            {
                Lanes.Zero(to->Data, to->Channels * to->Stride);
                to->Flags |= SignalFlags.Silent;
                continue;
            }

            for (var c = 0; c < to->Channels; c++)
                Lanes.Copy(to->Data + ((nint)c * to->Stride), context->Inputs[o].Voice(c, context->Silence), context->Frames);
            to->Flags &= ~SignalFlags.Silent;
        }
    }

    // Silence now; notice, reset and shedding are the audio thread's, after the join.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fail(RenderState* state, Node* node, int port)
    {
        Silence(node);
        node->Instance->Failed = port + 1;
        node->Instance->Asleep = 0;
        node->Instance->Record->BadOutputs++;
        Interlocked.Increment(ref state->Failed);
    }

    // Only parameters that move are touched. A row needs one more visit after the ramp has arrived, to become constant.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong MoveParameters(Instance* instance, int segments)
    {
        ulong moving = 0;
        for (var todo = instance->Ramping; todo != 0; todo &= todo - 1)
        {
            var p = BitOperations.TrailingZeroCount(todo);
            var ramp = instance->Ramps + p;
            var moves = ramp->At > 0 || ramp->Left > 0;
            ramp->AdvanceTo(instance->Params + (p * Limits.GridPoints), segments);
            ramp->At = 0;
            if (moves) moving |= 1UL << p;
            else instance->Ramping &= ~(1UL << p);
        }

        return moving;
    }

    /// <summary>
    /// Sums the cables of an input in patch order. Cables known to be silent are left out; a one-channel cable is
    /// heard in every channel; a channel nobody feeds is zero.
    /// </summary>
    private static void Mix(MixOp* mix, int frames)
    {
        var input = mix->Input;
        uint written = 0; // channels that hold something already
        for (var k = 0; k < mix->Count; k++)
        {
            var cable = mix->Cables + k;
            if (cable->SourceFlags != null && (*cable->SourceFlags & SignalFlags.Silent) != 0) continue;
            var channels = cable->Channels == 1 ? input->Channels : Math.Min(cable->Channels, input->Channels);
            for (var c = 0; c < channels; c++)
            {
                var from = cable->Source + (cable->Channels == 1 ? 0 : (nint)c * frames);
                var to = input->Data + ((nint)c * frames);
                if ((written >> c & 1) != 0) Lanes.Add(to, from, cable->Gain, frames);
                else Lanes.Scale(to, from, cable->Gain, frames);
                written |= 1u << c;
            }
        }

        for (var c = 0; c < input->Channels; c++)
        {
            if ((written >> c & 1) == 0) Lanes.Zero(input->Data + ((nint)c * frames), frames);
        }

        input->Flags = written == 0 ? SignalFlags.Connected | SignalFlags.Silent : SignalFlags.Connected;
    }
}
