if (args is ["bench", "memory", ..]) return SspHost.EngineHost.Bench.MemoryBench.Run(args[2..]);
System.Console.WriteLine("ssp-engine");
return 0;
