System.Console.WriteLine("ssp");
