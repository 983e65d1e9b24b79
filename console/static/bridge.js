// What Streamlit's pages cannot do by themselves: keys, the tab's title, the badge, desktop notifications, the theme.
// Served as a component; all words of others are set as text.
const GO = { o: "", t: "tasks", r: "run", c: "schedules", e: "errors", w: "workers", i: "inbox", s: "settings" }
const THEMES = { light: "Light", dark: "Dark" }

const here = (window.callboard ??= { told: new Set(), g: 0 })

export default function ({ data, parentElement, setTriggerValue }) {
  Object.assign(here, { data, parentElement, setTriggerValue })
  if (!here.listening) {
    here.listening = true
    document.addEventListener("keydown", (event) => here.onKey(event))
    document.addEventListener("click", (event) => here.onClick(event))
    new MutationObserver(() => here.mark()).observe(document.head, { subtree: true, childList: true, characterData: true })
    setInterval(() => (here.mark(), here.countDown()), 1000)
    const soon = () => (here.soon ??= requestAnimationFrame(() => ((here.soon = null), here.countDown())))
    new MutationObserver(soon).observe(document.body, { subtree: true, childList: true })
  }
  Object.assign(here, { onKey, onClick, mark, countDown })
  applyTheme(data)
  mark()
  countDown()
  notify(data)
}

// Moments to come, by the ledger's clock: the page says it once, and again with each of its ticks
function countDown() {
  const said = document.querySelector("[data-now]")?.dataset.now
  if (said && said !== here.said) Object.assign(here, { said, ahead: Date.now() - Number(said) })
  const now = Date.now() - (here.ahead ?? 0)
  for (const one of document.querySelectorAll("[data-until]")) {
    const text = until(Math.floor((Number(one.dataset.until) - now) / 1000))
    if (one.textContent !== text) one.textContent = text
  }
}

function until(seconds) {
  if (seconds >= 1) return `in ${lasting(seconds)}`
  return seconds > -60 ? "due now" : `due for ${lasting(-seconds)}`
}

function lasting(seconds) {
  const parts = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]
  const first = parts.findIndex(([, size]) => seconds >= size)
  return parts
    .slice(first, first + 2)
    .map(([unit, size], n) => [Math.floor((n ? seconds % parts[first][1] : seconds) / size), unit])
    .filter(([count]) => count)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ")
}

function mark() {
  const { unread } = here.data
  const title = (unread ? `(${unread}) ` : "") + document.title.replace(/^\(\d+\+?\) /, "")
  if (document.title !== title) document.title = title
  for (const link of document.querySelectorAll('[data-testid="stSidebarNavLink"][href$="/inbox"]')) {
    if (unread) link.dataset.unread = unread
    else delete link.dataset.unread
  }
  for (const log of document.querySelectorAll(".st-key-log_lines:not([tabindex])")) {
    Object.assign(log, { tabIndex: 0, role: "region", ariaLabel: "Log" }) // scrolls by keyboard, too
  }
}

function notify({ notes, notify }) {
  for (const { key, id, title, body } of notes) {
    if (here.told.has(key)) continue
    here.told.add(key)
    if (!notify || document.hasFocus() || window.Notification?.permission !== "granted") continue
    const shown = new Notification(title, { body, tag: `callboard-${key}` }) // the tag: once, however many tabs
    shown.onclick = () => {
      window.focus()
      here.setTriggerValue("open", id)
    }
  }
}

// Streamlit keeps the chosen theme for each path, and reads it once, when the page loads
function applyTheme({ theme, paths }) {
  const wanted = THEMES[theme] ?? "System"
  if ((localStorage.getItem("callboard-theme") ?? "System") === wanted) return
  localStorage.setItem("callboard-theme", wanted)
  for (const path of paths) localStorage.setItem(`stActiveTheme-${path}-v2`, JSON.stringify(wanted))
  location.reload()
}

function onKey(event) {
  const target = event.composedPath()[0]
  const typing = target.closest?.("input, textarea, select, [contenteditable=true], [role=dialog], [role=listbox]")
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
  const going = Date.now() - here.g < 1500
  here.g = 0
  if (going && event.key in GO) go(GO[event.key])
  else if (event.key === "g") here.g = Date.now()
  else if (event.key === "/") search()
  else if (event.key === "?") help()
  else return
  event.preventDefault()
}

function onClick(event) {
  const target = event.composedPath()[0]
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey
  if (target.closest?.(".callboard-keys")) help()
  const whole = plain && target.closest?.("a.callboard-all")
  if (whole) {
    event.preventDefault()
    return unfold(whole)
  }
  const link = plain && target.closest?.("a.callboard-task, a.callboard-schedule")
  const id = link && new URL(link.href).searchParams.get("id")
  if (!id) return
  event.preventDefault()
  here.setTriggerValue(link.classList.contains("callboard-task") ? "open" : "schedule", Number(id))
}

// All of a text of which the page shows the beginning
async function unfold(link) {
  if (link.ariaBusy === "true") return
  link.ariaBusy = "true"
  const answer = await fetch(link.href).catch(() => null)
  link.ariaBusy = "false"
  if (!answer?.ok) return void (link.textContent = "It cannot be read now. Try again")
  link.closest("details").querySelector("pre").textContent = await answer.text()
  link.remove()
}

function go(page) {
  const links = [...document.querySelectorAll('[data-testid="stSidebarNavLink"]')]
  const link = links.find((one) => new URL(one.href).pathname === `/${page}`)
  if (link) link.click()
  else location.assign(`/${page}`)
}

function search() {
  const field = () => document.querySelector(".st-key-text input")
  if (!field()) go("tasks")
  const until = Date.now() + 10000
  const focus = () => {
    if (field()) field().focus()
    else if (Date.now() < until) setTimeout(focus, 50)
  }
  focus()
}

function help() {
  const dialog = here.parentElement.querySelector("dialog")
  if (!dialog.open) dialog.showModal()
  dialog.onclick = (event) => {
    if (event.target === dialog || event.target.closest("button")) dialog.close() // a click beside it, too
  }
}
