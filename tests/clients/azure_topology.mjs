// Calls methods of Azure's SDK for JavaScript: each line of the input is [client, operations, method,
// arguments] in JSON, and each line of the output what it gives, or {"refused": ...} when it throws. The
// packages are in $PACKAGES, which is not above this file.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(process.env.PACKAGES + "/");
const { ClientSecretCredential } = require("@azure/identity");
const { DnsResolverManagementClient } = require("@azure/arm-dnsresolver");
const { NetworkManagementClient } = require("@azure/arm-network");
const { PrivateDnsManagementClient } = require("@azure/arm-privatedns");
const { ResourceManagementClient } = require("@azure/arm-resources");
const { DeploymentsClient } = require("@azure/arm-resourcesdeployments");
const { SERVER: url, SUBSCRIPTION, CLIENT_ID, CLIENT_SECRET } = process.env;

const credential = new ClientSecretCredential("adfs", CLIENT_ID, CLIENT_SECRET, {
  authorityHost: url,
  disableInstanceDiscovery: true,
});
const options = {
  endpoint: url,
  credentialScopes: [url + "/.default"],
  retryOptions: { maxRetries: 0 },
};
const clients = {
  resolver: new DnsResolverManagementClient(credential, SUBSCRIPTION, options),
  network: new NetworkManagementClient(credential, SUBSCRIPTION, options),
  zones: new PrivateDnsManagementClient(credential, SUBSCRIPTION, options),
  resources: new ResourceManagementClient(credential, SUBSCRIPTION, options),
  deployments: new DeploymentsClient(credential, SUBSCRIPTION, options),
};

async function call(client, operations, method, values) {
  const given = clients[client][operations][method](...values);
  if (given?.[Symbol.asyncIterator] === undefined) return (await given) ?? null;
  const all = [];
  for await (const each of given) all.push(each);
  return all;
}

for await (const line of createInterface({ input: process.stdin })) {
  const [client, operations, method, values] = JSON.parse(line);
  try {
    console.log(JSON.stringify(await call(client, operations, method, values)));
  } catch (error) {
    const { statusCode: status, code, message } = error;
    console.log(JSON.stringify({ refused: { status, code, message } }));
  }
}
