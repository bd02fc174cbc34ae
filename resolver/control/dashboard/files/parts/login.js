// Where one logs in, in place of every page.

import {h, name} from "../lib/element.js";
import {server} from "../lib/server.js";
import {logIn} from "../lib/session.js";

export class LoginForm extends HTMLElement {
  constructor(reason) {
    super();
    this.reason = reason;
  }

  connectedCallback() {
    const client = h("input", {id: "client", name: "client", required: true, autocomplete: "username", autocapitalize: "off",
                               spellcheck: "false"});
    const secret = h("input", {id: "secret", name: "secret", type: "password", required: true,
                               autocomplete: "current-password"});
    const told = h("p", {class: "problem", role: "alert", hidden: !this.reason}, this.reason);
    const button = h("button", {class: "primary"}, "Log in");
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await logIn(client.value, secret.value);
      } catch (error) {
        told.hidden = false;
        told.replaceChildren(error.message);
        secret.select();
      }
      button.disabled = false;
    };

    const called = h("p", {class: "called"});
    const tell = () => called.replaceChildren(...server.called ? [name(server.called), " ", h("span", {class: "version"}, server.version)] : []);

    tell();
    server.addEventListener("change", tell);
    this.replaceChildren(h("main", {id: "main"}, h("form", {class: "login", onsubmit: submit},
      h("h1", {}, "sluice"), called, told,
      h("div", {class: "field"}, h("label", {for: "client"}, "Client"), client),
      h("div", {class: "field"}, h("label", {for: "secret"}, "Secret"), secret),
      h("p", {class: "hint"}, "One of management.clients and its secret. An admin may change things, a reader looks on."),
      h("div", {class: "buttons"}, button))));
    client.focus();
  }
}
customElements.define("login-form", LoginForm);
