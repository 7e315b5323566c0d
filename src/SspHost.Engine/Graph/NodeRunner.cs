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

    /// <summary>False: the thread lost its seat inside the module and must touch nothing more.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)] // one place in the code that calls modules
    public static bool Run(RenderState* state, Node* node, Seat* seat, ulong mine)
    {
        if (!RunOnce(state, node, seat, mine)) return false;
        if (node->Taps != 0) SignalTaps.Copy(state, node);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool RunOnce(RenderState* state, Node* node, Seat* seat, ulong mine)
    {
        var instance = node->Instance;
        var silent = true;
        for (var i = 0; i < node->DirectCount; i++)
        {
            var flags = SignalFlags.Connected | (*node->Directs[i].Source & SignalFlags.Silent);
            *node->Directs[i].Input = flags;
            silent &= (flags & SignalFlags.Silent) != 0;
        }

        for (var i = 0; i < node->MixCount; i++) Mix(state, node->Mixes + i, state->Frames);

        var context = &node->Context;
        context->Time = state->Time;
        context->Moving = (instance->Ramping | instance->Modulated | node->Modulated) == 0 ? 0 : MoveParameters(state, node);
        context->EventCount = 0;
        if (node->AcceptsEvents != 0 && (instance->EventQuantum == state->Quantum || state->BroadcastQuantum == state->Quantum))
            context->EventCount = state->EventCount;

        var plain = ((int)node->Flags | instance->Shed | instance->Asleep | instance->Fading) == 0;
        if (!plain && Skipped(state, node, instance, silent))
        {
            seat->Skipped++;
            return true;
        }

        Seat.Enter(seat, mine, context->Slot);
        if (!plain && instance->Unsound != 0) Mend(instance);
        var result = node->Process(node->Self, context);
        if (!Seat.Leave(seat, mine)) return false;

        var outputs = context->Outputs;
        var every = 0;
        var levels = (PortLevel*)(instance->Levels + 1);
        if (instance->Levels->Window != state->Window) TurnLevels(state, node);
        for (var o = 0; o < node->OutputCount; o++)
        {
            if ((outputs[o].Flags & (SignalFlags.Connected | SignalFlags.Unwritten)) == SignalFlags.Unwritten)
            {
                outputs[o].Flags = SignalFlags.Silent;
                continue;
            }

            var magnitude = Lanes.Magnitude(outputs[o].Data, outputs[o].Channels * outputs[o].Stride);
            if (magnitude > Lanes.MaxMagnitude)
            {
                Fail(state, node, o);
                return true;
            }

            every |= magnitude;
            if (magnitude > levels[o].Current) levels[o].Current = magnitude;
            outputs[o].Flags = (outputs[o].Flags & SignalFlags.Connected) | (magnitude == 0 ? SignalFlags.Silent : SignalFlags.None);
        }

        if (instance->Fading != 0) Crossfade(state, node);
        if (result == ProcessResult.Continue) return true;
        if (result == ProcessResult.Error) Fail(state, node, node->OutputCount);
        else if (every == 0) instance->Asleep = 1; // an answer of Sleep after sounding outputs is not believed
        return true;
    }

    // A window of levels has begun since it last rendered, or several have.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TurnLevels(RenderState* state, Node* node)
    {
        var table = node->Instance->Levels;
        var ports = (PortLevel*)(table + 1);
        var next = state->Window - table->Window == 1;
        for (var o = 0; o < node->OutputCount; o++) ports[o] = new PortLevel { Previous = next ? ports[o].Current : 0 };
        Volatile.Write(ref table->Window, state->Window);
    }

    // What a bypassed module passes on is what is heard of it.
    private static void TakeLevels(RenderState* state, Node* node)
    {
        var ports = (PortLevel*)(node->Instance->Levels + 1);
        if (node->Instance->Levels->Window != state->Window) TurnLevels(state, node);
        for (var o = 0; o < node->OutputCount; o++)
        {
            var output = node->Context.Outputs + o;
            if (output->Silent) continue;
            var magnitude = Lanes.Magnitude(output->Data, output->Channels * output->Stride);
            if (magnitude > ports[o].Current && magnitude <= Lanes.MaxMagnitude) ports[o].Current = magnitude;
        }
    }

    // Given back after something went wrong in it: from the beginning.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Mend(Instance* instance)
    {
        instance->Unsound = 0;
        instance->Type->Entry.Reset(instance->Self);
    }

    // Bypassed, shed, fading or sleeping: true if the outputs are settled without calling process.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Skipped(RenderState* state, Node* node, Instance* instance, bool silent)
    {
        var haunted = Volatile.Read(ref instance->Ghost) != 0; // once: the steward may clear it at any moment
        if (node->Adrift != 0 && Takeover.IsHaunted(state->Current, node, haunted)) return true;
        var bypassed = (node->Flags & NodeFlags.Bypassed) != 0;
        if (bypassed || instance->Shed != 0 || instance->Fading != 0)
        {
            AimFades(state, instance, bypassed);
            if (instance->Wet.IsOff(state->FadeFrames))
            {
                if (bypassed)
                {
                    if (instance->Shed != 0 && !haunted) Restore(instance); // bypassed and back is how a player tries a shed module again
                    instance->Failures = 0;
                    instance->Asleep = 0; // its inputs may have sounded while it was not asked
                }

                Silence(node);
                Through(state, node);
                if (bypassed) TakeLevels(state, node);
                return true;
            }
        }

        if (instance->Asleep == 0) return false;
        for (var i = 0; silent && i < node->InputCount; i++) silent = node->Context.Inputs[i].Silent;
        // A reply of finished work is an event too: nobody else would fetch it.
        if (!silent || node->Context.Moving != 0 || node->Context.EventCount != 0 || Volatile.Read(ref instance->Job->State) != (int)WorkState.Idle)
        {
            instance->Asleep = 0;
            return false;
        }

        if (instance->Fading != 0) Crossfade(state, node); // between silence and silence, but it has to end
        instance->Record->Slept++;
        Silence(node);
        return true;
    }

    /// <summary>Switches a shed module on again; its fade does the rest. Not while a stuck thread is inside.</summary>
    public static void Restore(Instance* instance)
    {
        if (instance->Shed != (int)ShedReason.Overload) instance->Unsound = 1;
        instance->Shed = 0;
        instance->Failures = 0;
        instance->Asleep = 0;
        Volatile.Write(ref *(int*)&instance->Record->Shed, 0);
    }

    private static void AimFades(RenderState* state, Instance* instance, bool bypassed)
    {
        var wet = bypassed || instance->Shed != 0 ? 0f : 1f;
        var dry = bypassed ? 1f : 0f;
        if (instance->Wet.Target != wet) instance->Wet.Aim(wet, state->FadeShape, state->FadeFrames);
        if (instance->Dry.Target != dry) instance->Dry.Aim(dry, state->FadeShape, state->FadeFrames);
        instance->Fading = 1;
    }

    // The module has rendered: its own output by the one gain, what it would pass on by the other.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Crossfade(RenderState* state, Node* node)
    {
        var instance = node->Instance;
        var frames = state->FadeFrames;
        if (instance->Asleep == 0)
        {
            var outputs = node->Context.Outputs;
            for (var o = 0; o < node->OutputCount && !instance->Wet.Rests(frames); o++)
            {
                if (outputs[o].Silent) continue;
                for (var c = 0; c < outputs[o].Channels; c++)
                {
                    var channel = outputs[o].Data + ((nint)c * outputs[o].Stride);
                    instance->Wet.Scale(channel, channel, state->FadeShape, state->Frames);
                }
            }

            Through(state, node);
        }
        else
        {
            instance->Dry.At += state->Frames;
        }

        instance->Wet.At = Math.Min(instance->Wet.At + state->Frames, frames);
        if (instance->Wet.Rests(frames) && instance->Wet.Target == 1f && instance->Dry.IsOff(frames)) instance->Fading = 0;
    }

    // Adds what a bypassed module passes on to its outputs, by the present gain.
    private static void Through(RenderState* state, Node* node)
    {
        var dry = &node->Instance->Dry;
        var rests = dry->Rests(state->FadeFrames);
        var context = &node->Context;
        for (var o = 0; o < node->OutputCount && !(rests && dry->Target == 0f); o++)
        {
            if ((node->Instance->Type->Through >> o & 1) == 0 || context->Inputs[o].Silent) continue;
            var to = context->Outputs + o;
            for (var c = 0; c < to->Channels; c++)
            {
                var channel = to->Data + ((nint)c * to->Stride);
                var from = context->Inputs[o].Voice(c, context->Silence);
                if (to->Silent && !rests) Lanes.Zero(channel, context->Frames); // it may have been left unwritten
                if (!rests) dry->Add(channel, from, state->FadeShape, context->Frames);
                else if (to->Silent) Lanes.Copy(channel, from, context->Frames);
                else Lanes.Add(channel, from, context->Frames);
            }

            to->Flags &= ~SignalFlags.Silent;
        }

        if (!rests) dry->At = Math.Min(dry->At + context->Frames, state->FadeFrames);
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
    private static ulong MoveParameters(RenderState* state, Node* node)
    {
        var instance = node->Instance;
        var segments = state->Frames / Limits.Grid;
        ulong moving = 0;
        var ramping = instance->Ramping;
        for (var todo = ramping; todo != 0; todo &= todo - 1)
        {
            var p = BitOperations.TrailingZeroCount(todo);
            var ramp = instance->Ramps + p;
            var moves = ramp->At > 0 || ramp->Left > 0;
            ramp->AdvanceTo(instance->Params + (p * Limits.GridPoints), segments);
            ramp->At = 0;
            if (moves) moving |= 1UL << p;
            else instance->Ramping &= ~(1UL << p);
        }

        if ((instance->Modulated | node->Modulated) == 0) return moving;
        var voltages = Modulation.Run(state, node, ramping);
        return (moving & ~node->Modulated) | voltages;
    }

    /// <summary>
    /// Sums the cables of an input in patch order. Cables known to be silent are left out; a one-channel cable is
    /// heard in every channel; a channel nobody feeds is zero.
    /// </summary>
    private static void Mix(RenderState* state, MixOp* mix, int frames)
    {
        var input = mix->Input;
        uint written = 0; // channels that hold something already
        for (var k = 0; k < mix->Count; k++)
        {
            var cable = mix->Cables + k;
            if (cable->Ramp != null)
            {
                Ramped(state, cable, input, ref written);
                continue;
            }

            // A cable of gain 0 is as silent whether its ramp has just arrived there or the next plan has made it a constant.
            if (cable->Gain == 0 || (cable->SourceFlags != null && (*cable->SourceFlags & SignalFlags.Silent) != 0)) continue;
            Plug(cable, input, cable->Gain, frames, ref written);
        }

        for (var c = 0; c < input->Channels; c++)
        {
            if ((written >> c & 1) == 0) Lanes.Zero(input->Data + ((nint)c * frames), frames);
        }

        input->Flags = written == 0 ? SignalFlags.Connected | SignalFlags.Silent : SignalFlags.Connected;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Plug(CableOp* cable, Signal* input, float gain, int frames, ref uint written)
    {
        var channels = cable->Channels == 1 ? input->Channels : Math.Min(cable->Channels, input->Channels);
        for (var c = 0; c < channels; c++)
        {
            var from = cable->Source + (cable->Channels == 1 ? 0 : (nint)c * frames);
            var to = input->Data + ((nint)c * frames);
            if ((written >> c & 1) != 0) Lanes.Add(to, from, gain, frames);
            else Lanes.Scale(to, from, gain, frames);
            written |= 1u << c;
        }
    }

    // A cable of a plan that lives for the length of a ramp and a little more.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Ramped(RenderState* state, CableOp* cable, Signal* input, ref uint written)
    {
        var ramp = &cable->Ramp->Gain;
        var frames = state->Frames;
        var silent = cable->SourceFlags != null && (*cable->SourceFlags & SignalFlags.Silent) != 0;
        if (ramp->Rests(state->FadeFrames))
        {
            if (!silent && ramp->Target != 0) Plug(cable, input, ramp->Target, frames, ref written);
            return;
        }

        var channels = silent ? 0 : cable->Channels == 1 ? input->Channels : Math.Min(cable->Channels, input->Channels);
        for (var c = 0; c < channels; c++)
        {
            var from = cable->Source + (cable->Channels == 1 ? 0 : (nint)c * frames);
            var to = input->Data + ((nint)c * frames);
            if ((written >> c & 1) != 0) ramp->Add(to, from, state->FadeShape, frames);
            else ramp->Scale(to, from, state->FadeShape, frames);
            written |= 1u << c;
        }

        ramp->At += frames;
    }
}
