// The browser's own viewer, on a file that the server has found to be a PDF.
export default function ({ data, parentElement }) {
  const frame = parentElement.querySelector("iframe")
  if (frame.getAttribute("src") !== data.url) frame.setAttribute("src", data.url)
}
