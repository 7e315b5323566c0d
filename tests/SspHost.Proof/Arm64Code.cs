// arm64
namespace SspHost.Proof;

internal sealed class Arm64Code : ICodeReader
{
    public List<Flow> Read(Image image, Function function) => throw new ProofException("arm64 not yet");
}
