// One camera's socket, as bytes: a frame comes in one message or several, and each is answered with how much has arrived, so that layerd never
// has more on its way than the link bears:
//
//	piece ─▶ {"got":bytes} … last piece ─▶ frame ─▶ (painted) ─▶ {"ack":seq}
import { frameHeader, readFrame, type Frame } from './wire'

/** One connection's pieces. A new connection needs a new one. */
export class Incoming {
  /** Bytes that have arrived. */
  got = 0
  private frame: Frame | null = null
  private filled = 0

  /** Takes a message; returns the frame that it completes. Throws for what is no frame. */
  take(data: ArrayBuffer): Frame | null {
    this.got += data.byteLength
    let piece = new Uint8Array(data)
    if (!this.frame) {
      this.frame = readFrame(data)
      this.filled = 0
      piece = piece.subarray(frameHeader)
    }
    const { jpeg } = this.frame
    if (piece.length > jpeg.length - this.filled) throw new Error('frame: longer than it said')
    jpeg.set(piece, this.filled)
    this.filled += piece.length
    if (this.filled < jpeg.length) return null
    const whole = this.frame
    this.frame = null
    return whole
  }
}
