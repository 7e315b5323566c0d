System.Console.WriteLine("ssp-engine");
