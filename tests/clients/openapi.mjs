// Validates the OpenAPI document on standard input, and prints {"valid", "errors", "version"}.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { text } from "node:stream/consumers";

const require = createRequire(pathToFileURL(process.env.PACKAGES + "/"));
const module = await import(pathToFileURL(require.resolve("@seriousme/openapi-schema-validator")));
const validator = new module.Validator();
const result = await validator.validate(JSON.parse(await text(process.stdin)));
console.log(JSON.stringify({ ...result, version: validator.version }));
