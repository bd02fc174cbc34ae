// RFC 4180. A cell that a spreadsheet would run gets a ' before it, which the server removes again.

function cell(value) {
  const plain = String(value ?? "");
  const text = /^'*[=+\-@\t\r]/.test(plain) ? "'" + plain : plain;

  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(columns, rows) {
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((cells) => cells.map(cell).join(",") + "\r\n").join("");
}

// Makes the browser save the text as a file.
export function save(file, text, type) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  const link = document.createElement("a");

  Object.assign(link, {href: address, download: file});
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
