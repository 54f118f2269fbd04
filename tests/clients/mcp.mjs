// Drives @modelcontextprotocol/sdk: reads {base, headers, calls}, writes the server, its tools and what each call came to.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { readFileSync } from "node:fs";

const given = JSON.parse(readFileSync(process.env.GIVEN, "utf8"));
const client = new Client({ name: "tests", version: "1" });
const transport = new StreamableHTTPClientTransport(new URL(`${given.base}/mcp`), { requestInit: { headers: given.headers } });

let printed;
try {
  await client.connect(transport);
  const { tools } = await client.listTools();
  const called = [];
  for (const [name, args] of given.calls)
    called.push(await client.callTool({ name, arguments: args }).catch(error => ({ thrown: error.message, code: error.code })));
  await client.ping();
  printed = { server: client.getServerVersion(), version: transport.protocolVersion, tools, called };
  await client.close();
} catch (error) {
  printed = { thrown: error.message };
}
console.log(JSON.stringify(printed));
