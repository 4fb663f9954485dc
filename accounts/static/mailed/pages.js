// What the link's fragment holds goes to the API, by POST, and nowhere else.
"use strict";

class Refused extends Error {}

async function post(path, body, access) {
  const headers = { "Content-Type": "application/json" };
  if (access) headers.Authorization = `Bearer ${access}`;
  const sent = { method: "POST", headers, credentials: "omit", body: body && JSON.stringify(body) };
  const answer = await fetch(`/api/v1/auth/${path}`, sent);
  const said = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Refused(sentence(said));
  return said;
}

function sentence(problem) {
  const errors = (problem.errors || []).map((error) => error.message);
  return errors.join(" ") || problem.detail || problem.title;
}

const pages = {
  invitation: {
    needs: ["token"],
    async send(held, given) {
      const joined = await post("invitations/accept/", { token: held.token, password: given.password });
      return { tenant: joined.tenant.name, role: joined.role };
    },
  },
  email: {
    needs: ["token"],
    async send(held, given) {
      const { otp, ...known } = given;
      const { access } = await post("login/", otp ? given : known);
      try {
        await post("email/confirm/", { token: held.token }, access);
      } finally {
        await post("logout/", null, access);
      }
      return {};
    },
  },
  password: {
    needs: ["user", "token"],
    async send(held, given) {
      if (given.password !== given.again) throw new Refused("The two are not the same.");
      await post("password/reset/confirm/", { ...held, new: given.password });
      return {};
    },
  },
};

const form = document.querySelector("form");
const page = pages[form.dataset.page];
const fragment = new URLSearchParams(location.hash.slice(1));
const held = Object.fromEntries(page.needs.map((name) => [name, fragment.get(name)]));
const isWhole = page.needs.every((name) => held[name]);

// Neither the history nor whoever looks at the screen keeps it.
history.replaceState(null, "", location.pathname);
form.hidden = !isWhole;
document.getElementById("incomplete").hidden = isWhole;

function show(shown) {
  for (const [name, text] of Object.entries(shown)) {
    document.querySelector(`[data-shown=${name}]`).textContent = text;
  }
  form.remove();
  const done = document.getElementById("done");
  done.hidden = false;
  done.focus();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fault = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  const given = Object.fromEntries([...form.querySelectorAll("input")].map((input) => [input.id, input.value]));
  fault.textContent = "";
  button.disabled = true;
  try {
    show(await page.send(held, given));
  } catch (error) {
    fault.textContent = error instanceof Refused ? error.message : "No answer came. Try again.";
    button.disabled = false;
  }
});
