// Asks the browser for the right to notify, and says how it stands.
const SAYS = {
  granted: "This browser shows them.",
  denied: "This browser was told not to show them. Its settings for this site can change that.",
  default: "This browser has not been asked yet.",
  none: "This browser shows them on https:// or on 127.0.0.1 only.",
}

export default function ({ parentElement }) {
  const words = parentElement.querySelector("p")
  const button = parentElement.querySelector("button")
  const show = () => {
    const stands = window.Notification?.permission ?? "none"
    words.textContent = SAYS[stands]
    button.hidden = stands !== "default"
  }
  button.onclick = () => Notification.requestPermission().then(show)
  show()
}
