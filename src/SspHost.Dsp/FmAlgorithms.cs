// The thirty-two ways in which six operators modulate each other.
namespace SspHost.Dsp;

/// <summary>One of them, in the form a render loop wants: for each operator, counted from 0, up to three that modulate it.</summary>
public unsafe struct FmAlgorithm
{
    /// <summary>Operators.</summary>
    public const int Operators = 6;

    /// <summary>Number of an operator that is always silent: what stands where fewer than three modulate.</summary>
    public const int Nobody = 6;

    /// <summary>Operator i is modulated by entries 3 i .. 3 i + 2.</summary>
    public fixed int Modulators[3 * Operators];

    /// <summary>Bit i: operator i is heard.</summary>
    public int Carriers;

    /// <summary>How many are heard.</summary>
    public int CarrierCount;

    /// <summary>Whose output is fed back, and into whom; usually the same.</summary>
    public int FeedbackFrom, FeedbackTo;
}

/// <summary>
/// The algorithms of the Yamaha DX7 (its owner's manual, 1983, prints them on its lid and last pages), numbered as there, less one.
/// </summary>
public static unsafe class FmAlgorithms
{
    /// <summary>How many there are.</summary>
    public const int Count = 32;

    // One a line: the carriers; who modulates whom, the modulator first; whose output is fed back into whom.
    private static ReadOnlySpan<byte> Text =>
        "13:21 65 54 43:66;"u8 +
        "13:21 65 54 43:22;"u8 +
        "14:32 21 65 54:66;"u8 +
        "14:32 21 65 54:46;"u8 +
        "135:21 43 65:66;"u8 +
        "135:21 43 65:56;"u8 +
        "13:21 43 53 65:66;"u8 +
        "13:21 43 53 65:44;"u8 +
        "13:21 43 53 65:22;"u8 +
        "14:32 21 54 64:33;"u8 +
        "14:32 21 54 64:66;"u8 +
        "13:21 43 53 63:22;"u8 +
        "13:21 43 53 63:66;"u8 +
        "13:21 43 54 64:66;"u8 +
        "13:21 43 54 64:22;"u8 +
        "1:21 31 51 43 65:66;"u8 +
        "1:21 31 51 43 65:22;"u8 +
        "1:21 31 41 54 65:33;"u8 +
        "145:32 21 64 65:66;"u8 +
        "124:31 32 54 64:33;"u8 +
        "1245:31 32 64 65:33;"u8 +
        "1345:21 63 64 65:66;"u8 +
        "1245:32 64 65:66;"u8 +
        "12345:63 64 65:66;"u8 +
        "12345:64 65:66;"u8 +
        "124:32 54 64:66;"u8 +
        "124:32 54 64:33;"u8 +
        "136:21 54 43:55;"u8 +
        "1235:43 65:66;"u8 +
        "1236:54 43:55;"u8 +
        "12345:65:66;"u8 +
        "123456::66;"u8;

    /// <summary>Fills <paramref name="algorithms"/>, <see cref="Count"/> of them. [steward]</summary>
    public static void Build(FmAlgorithm* algorithms)
    {
        var at = 0;
        for (var i = 0; i < Count; i++)
        {
            var algorithm = algorithms + i;
            *algorithm = default;
            for (var m = 0; m < 3 * FmAlgorithm.Operators; m++) algorithm->Modulators[m] = FmAlgorithm.Nobody;
            for (; Text[at] != ':'; at++)
            {
                algorithm->Carriers |= 1 << Operator(at);
                algorithm->CarrierCount++;
            }

            for (at++; Text[at] != ':'; at += Text[at] == ' ' ? 1 : 0)
            {
                var slot = 3 * Operator(at + 1);
                while (algorithm->Modulators[slot] != FmAlgorithm.Nobody) slot++;
                algorithm->Modulators[slot] = Operator(at);
                at += 2;
            }

            algorithm->FeedbackFrom = Operator(at + 1);
            algorithm->FeedbackTo = Operator(at + 2);
            at += 4;
        }
    }

    private static int Operator(int at) => Text[at] - '1';
}
