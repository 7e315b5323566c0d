// The addresses of this machine that others may reach it by.
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace SspHost.Playing.Desks;

internal static class NetworkAddresses
{
    /// <summary>An address to type for one that is served: one of this machine's where all of them are.</summary>
    public static string ToType(string served)
    {
        var uri = new Uri(served);
        if (!IPAddress.TryParse(uri.IdnHost, out var address) || !(address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))) return served;
        return $"{uri.Scheme}://{new IPEndPoint(All(address)[0], uri.Port)}";
    }

    /// <summary>Those of interfaces that are up, of the family of <paramref name="like"/> (IPv6: both), loopback last; link-local IPv6 is left out.</summary>
    public static IReadOnlyList<IPAddress> All(IPAddress like)
    {
        var found = new List<IPAddress>();
        try
        {
            foreach (var card in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (card.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown)) continue;
                foreach (var unicast in card.GetIPProperties().UnicastAddresses)
                {
                    if (unicast.Address is { IsIPv6LinkLocal: false } a && !IPAddress.IsLoopback(a) && (a.AddressFamily == like.AddressFamily || like.AddressFamily == AddressFamily.InterNetworkV6)) found.Add(a);
                }
            }
        }
        catch (NetworkInformationException)
        {
            // What is left is this machine itself.
        }

        found.Add(like.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback);
        return found;
    }
}
