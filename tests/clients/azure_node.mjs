// Calls one method of @azure/arm-network's publicIPAddresses, whose arguments are JSON on the command
// line, and prints what it gives as JSON. The packages are in $PACKAGES, which is not above this file.
import { createRequire } from "node:module";

const require = createRequire(process.env.PACKAGES + "/");
const { NetworkManagementClient } = require("@azure/arm-network");
const { ClientSecretCredential } = require("@azure/identity");
const { SERVER: url, SUBSCRIPTION, CLIENT_ID, CLIENT_SECRET } = process.env;

const credential = new ClientSecretCredential("adfs", CLIENT_ID, CLIENT_SECRET, {
  authorityHost: url,
  disableInstanceDiscovery: true,
});
const client = new NetworkManagementClient(credential, SUBSCRIPTION, {
  endpoint: url,
  credentialScopes: [url + "/.default"],
  retryOptions: { maxRetries: 0 },
});

async function call(method, values) {
  const given = client.publicIPAddresses[method](...values);
  if (given[Symbol.asyncIterator] === undefined) return (await given) ?? null;
  const all = [];
  for await (const each of given) all.push(each);
  return all;
}

const [method, ...values] = process.argv.slice(2);
try {
  console.log(JSON.stringify(await call(method, values.map((text) => JSON.parse(text)))));
} catch (error) {
  const { statusCode: status, code, message } = error;
  console.log(JSON.stringify({ refused: { status, code, message } }));
}
