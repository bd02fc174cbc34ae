// RFC 4180.

function cell(value) {
  const text = String(value ?? "");

  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(columns, rows) {
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((cells) => cells.map(cell).join(",") + "\r\n").join("");
}

// As a file that the browser keeps.
export function save(file, text, type) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  const link = document.createElement("a");

  Object.assign(link, {href: address, download: file});
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
