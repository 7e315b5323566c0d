// What a command says when it cannot do what it was asked.
namespace SspHost.Commands;

/// <summary>One line for standard error; the exit code is 1.</summary>
internal sealed class CommandException(string message) : Exception(message);
